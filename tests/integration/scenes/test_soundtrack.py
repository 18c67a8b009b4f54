"""The sound of films whose every part is known: where it is, how loud it is, what gives way to what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audio_truth import Samples, decibels, largest_jump, measured, pieces, sine, write_wav
from renderkiln.media.audio.bars import Bars
from renderkiln.media.audio.source import RATE, Block
from renderkiln.media.errors import Unreadable
from renderkiln.media.probe import probe
from renderkiln.pipelines.scenes.mastered import mastered
from renderkiln.pipelines.scenes.soundtrack import REFERENCE, Heard, MusicBed, Recorded, record_soundtrack

pytestmark = pytest.mark.integration

MakeHeard = Callable[..., Heard]


@pytest.fixture
def heard(tmp_path: Path) -> MakeHeard:
    """`heard(kind, sound, seconds, …)` writes an array of shape (channels, n) and measures it."""

    def make(kind: str, sound: Samples, start: float, **values: object) -> Heard:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.f32"
        sound.T.astype(np.float32).tofile(path)
        lufs = measured(pieces(np.broadcast_to(sound, (2, sound.shape[1])))).integrated
        given = {"channels": len(sound), "samples": sound.shape[1], "lufs": lufs, **values}
        return Heard(kind, path, start=round(start * RATE), **given)  # type: ignore[arg-type]

    return make


def talk(seconds: float, level: float = 0.1, seed: int = 1) -> Samples:
    """Noise below 1 kHz without a rest, mono."""
    noise = np.random.default_rng(seed).normal(0, 1, round(seconds * RATE) + 47)
    return level * np.convolve(noise, np.hanning(50)[1:-1] / 4, "valid")[None]


def track(folder: Path, sound: Samples, **values: object) -> MusicBed:
    return MusicBed(write_wav(folder / "music.wav", sound), **values)  # type: ignore[arg-type]


def mixed(recorded: Recorded | None) -> Block:
    assert recorded is not None
    return np.array(recorded.spool.frames()).T


def lufs(sound: Samples) -> float:
    return measured(pieces(sound)).integrated


def level(sound: Samples, hz: float, start: float, seconds: float) -> float:
    """Of a tone within a sound, in dB of its amplitude."""
    piece = sound[0, round(start * RATE) : round((start + seconds) * RATE)].astype(np.float64)
    window = np.hanning(len(piece))
    turned = np.sum(piece * window * np.exp(-2j * np.pi * hz * np.arange(len(piece)) / RATE))
    return float(20 * np.log10(2 * np.abs(turned) / window.sum()))


def test_everything_is_at_its_sample_and_nothing_is_between(heard: MakeHeard, tmp_path: Path) -> None:
    click = np.zeros((1, RATE))
    click[:, 24_000:24_048] = 0.5
    given = [
        heard("voice", click, 1.0, lufs=REFERENCE),
        heard("clip", np.repeat(click, 2, axis=0), 3.0, lufs=-20.0),
    ]
    sound = mixed(record_soundtrack(given, None, 5 * RATE + 123, tmp_path))
    assert sound.shape == (2, 5 * RATE + 123)
    loud = np.flatnonzero(np.abs(sound[0]) > 1e-6)
    at = [round(1.5 * RATE), round(3.5 * RATE)]
    assert loud.tolist() == [*range(at[0], at[0] + 48), *range(at[1], at[1] + 48)]
    assert np.array_equal(sound[0], sound[1])


@pytest.mark.parametrize("own", [0.01, 0.3])
def test_a_voice_is_brought_to_the_reference(heard: MakeHeard, tmp_path: Path, own: float) -> None:
    given = [heard("voice", talk(3, own), 0), heard("voice", talk(3, 0.1), 4, gain_db=-6.0)]
    sound = mixed(record_soundtrack(given, None, 7 * RATE, tmp_path))
    assert lufs(sound[:, : 3 * RATE]) == pytest.approx(REFERENCE, abs=0.1)
    assert lufs(sound[:, 4 * RATE :]) == pytest.approx(REFERENCE - 6, abs=0.1)


@pytest.mark.parametrize(
    ("own", "expected"), [(-9, -16), (-16, -16), (-22, -22), (-30, -30), (-38, -30), (-60, -48)]
)
def test_a_clip_is_as_loud_as_it_was_recorded_within_limits(
    heard: MakeHeard, tmp_path: Path, own: float, expected: float
) -> None:
    sound = np.repeat(talk(2), 2, axis=0)
    sound *= 10 ** ((own - lufs(sound)) / 20)
    recorded = record_soundtrack([heard("clip", sound, 0, gain_db=2.0)], None, 2 * RATE, tmp_path)
    assert lufs(mixed(recorded)) == pytest.approx(expected + 2, abs=0.1)


def test_music_steps_back_while_somebody_speaks_and_not_for_clips(heard: MakeHeard, tmp_path: Path) -> None:
    music = track(tmp_path, sine(3000, 20, 0.3), gain_db=-12.0, duck_db=-9.0)
    given = [heard("voice", talk(3), 4), heard("clip", np.repeat(talk(2), 2, axis=0), 12)]
    recorded = record_soundtrack(given, music, 16 * RATE, tmp_path)
    assert recorded is not None
    sound = mixed(recorded)
    before, meanwhile, beside_a_clip = (level(sound, 3000, at, 1.5) for at in (1.5, 4.5, 12.2))
    assert meanwhile - before == pytest.approx(-9, abs=0.2)
    assert beside_a_clip == pytest.approx(before, abs=0.2)
    assert lufs(sound[:, RATE : 3 * RATE]) == pytest.approx(REFERENCE - 12, abs=0.1)
    assert recorded.layers == ("voice", "clips", "music")


def test_music_is_looped_comes_gently_and_goes_with_the_film(heard: MakeHeard, tmp_path: Path) -> None:
    music = track(tmp_path, np.repeat(talk(3), 2, axis=0), fade_in=1.0, fade_out=2.0)
    sound = mixed(record_soundtrack([heard("voice", talk(1), 1)], music, 20 * RATE, tmp_path))
    steady = decibels(sound[:, 10 * RATE : 11 * RATE])
    assert decibels(sound[:, 16 * RATE : 17 * RATE]) == pytest.approx(steady, abs=1)
    assert decibels(sound[:, :4800]) < steady - 20
    assert decibels(sound[:, -4800:]) < steady - 30


def test_music_alone_is_as_loud_as_a_voice_would_be(tmp_path: Path) -> None:
    music = track(tmp_path, sine(500, 8, 0.02), gain_db=-60.0, fade_in=0.0, fade_out=0.0)
    sound = mixed(record_soundtrack([], music, 4 * RATE, tmp_path))
    assert lufs(sound) == pytest.approx(REFERENCE, abs=0.1)


def test_scenes_cross_fade_with_constant_power(heard: MakeHeard, tmp_path: Path) -> None:
    given = [
        heard("clip", sine(440, 3, 0.1), 0, fade_out=1.0, lufs=-20.0),
        heard("clip", sine(1130, 3, 0.1), 2, fade_in=1.0, lufs=-20.0),
    ]
    sound = mixed(record_soundtrack(given, None, 5 * RATE, tmp_path))
    levels = [decibels(sound[:, at : at + 4800]) for at in range(4800, 5 * RATE - 9600, 4800)]
    assert max(levels) - min(levels) < 0.3


def test_nothing_clicks_where_the_film_ends_or_a_piece_is_cut(heard: MakeHeard, tmp_path: Path) -> None:
    loud = np.full((2, 3 * RATE), 0.3)
    given = [heard("clip", loud, 1, lufs=-20.0), heard("voice", loud[:1], 2.5, lufs=REFERENCE)]
    sound = mixed(record_soundtrack(given, None, 3 * RATE, tmp_path))
    assert largest_jump(sound) < 0.3 * np.pi / 2 / 240 * 1.02
    assert np.abs(sound[:, -1]).max() < 1e-3


def test_voices_may_overlap_and_a_stereo_voice_stands_in_the_middle(heard: MakeHeard, tmp_path: Path) -> None:
    left_only = np.concatenate([talk(2), np.zeros((1, 2 * RATE))])
    given = [heard("voice", talk(2, seed=2), 0), heard("voice", left_only, 1), heard("voice", talk(1), 90)]
    music = track(tmp_path, sine(3000, 5, 0.3))
    left, right = mixed(record_soundtrack(given, music, 4 * RATE, tmp_path))
    assert np.abs(left - right).max() < 1e-5
    assert decibels(left[RATE : 2 * RATE]) > decibels(left[:RATE]) + 1


def test_nothing_to_hear_is_no_soundtrack(heard: MakeHeard, tmp_path: Path) -> None:
    assert record_soundtrack([], None, RATE, tmp_path) is None
    assert record_soundtrack([heard("voice", talk(1), 5)], None, RATE, tmp_path) is None


def test_bars_of_each_stem_follow_that_stem(heard: MakeHeard, tmp_path: Path) -> None:
    music = track(tmp_path, sine(3000, 5, 0.3))
    given = [heard("voice", talk(1), 2)]
    recorded = record_soundtrack(given, music, 5 * RATE, tmp_path, bars=("mix", "voice", "music"))
    assert recorded is not None
    of = {stem: Bars.load(path) for stem, path in recorded.bars.items()}
    speaking, resting = ({stem: bars.levels(at, 48).mean() for stem, bars in of.items()} for at in (2.5, 1.0))
    assert speaking["voice"] > 0.2
    assert resting["voice"] < 0.01
    assert speaking["music"] == pytest.approx(resting["music"], abs=0.01)
    assert speaking["mix"] > resting["mix"] > 0.005
    without = record_soundtrack(given, None, 5 * RATE, tmp_path, bars=("music", "voice"))
    assert without is not None
    assert set(without.bars) == {"voice"}


def test_a_file_that_is_missing_is_named(heard: MakeHeard, tmp_path: Path) -> None:
    gone = replace(heard("voice", talk(1), 0), path=tmp_path / "gone.f32")
    with pytest.raises(Unreadable, match=r"gone\.f32' cannot be read"):
        record_soundtrack([gone], None, RATE, tmp_path)
    with pytest.raises(Unreadable, match="does not exist"):
        record_soundtrack([], MusicBed(tmp_path / "none.mp3"), RATE, tmp_path)


@pytest.mark.parametrize(("format", "codec"), [("m4a", "aac"), ("opus", "opus")])
def test_the_film_is_as_loud_as_ordered(heard: MakeHeard, tmp_path: Path, format: str, codec: str) -> None:
    t = np.arange(8 * RATE) / RATE
    syllables = talk(8, 0.2) * np.clip(np.sin(2 * np.pi * 3 * t), 0, 1)
    click = np.repeat(0.9 * np.sign(sine(50, 1)[:1]), 2, axis=0)
    music = track(tmp_path, sine(300, 4, 0.2) + np.repeat(talk(4, 0.1, 5), 2, axis=0))
    given = [heard("voice", syllables, 1), heard("clip", click, 9.5, gain_db=6.0)]
    recorded = record_soundtrack(given, music, 12 * RATE + 7, tmp_path)
    assert recorded is not None
    told: list[float] = []
    made = mastered(
        recorded.spool,
        tmp_path,
        format,  # type: ignore[arg-type]
        progress=lambda fraction, _: told.append(fraction),
    )
    assert made is not None
    assert made.delivered.loudness.integrated == pytest.approx(-14, abs=0.1)
    assert made.delivered.loudness.true_peak <= -1
    assert made.delivered.samples == 12 * RATE + 7
    sound = probe(made.path).audio
    assert sound is not None
    assert (sound.codec, sound.channels, sound.rate) == (codec, 2, RATE)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1)


def test_a_silent_film_has_no_sound(heard: MakeHeard, tmp_path: Path) -> None:
    for seconds, amplitude in ((3, 0.0), (3, 1e-5), (0.3, 0.5)):
        clip = heard("clip", sine(300, seconds, amplitude), 0, lufs=None)
        recorded = record_soundtrack([clip], None, round(seconds * RATE), tmp_path)
        assert recorded is not None
        assert mastered(recorded.spool, tmp_path, "m4a") is None


def test_what_cannot_be_reached_is_said(heard: MakeHeard, tmp_path: Path) -> None:
    quiet = heard("clip", sine(300, 3, 0.0008), 0, lufs=None)
    recorded = record_soundtrack([quiet], None, 3 * RATE, tmp_path)
    assert recorded is not None
    made = mastered(recorded.spool, tmp_path, "m4a")
    assert made is not None
    assert "below the target loudness" in made.warnings[0]
