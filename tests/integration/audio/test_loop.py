"""The loop of real files: the seam, the silence at the ends, the rate."""

from __future__ import annotations

import math
from pathlib import Path

import lameenc
import numpy as np
import pytest

from audio_truth import Samples, decibels, largest_jump, pulled, sine, thd_n, tone_hz, write_wav
from renderkiln.media.audio.loop import Loop
from renderkiln.media.audio.source import RATE
from renderkiln.media.errors import Unreadable, Unsuitable

pytestmark = pytest.mark.integration


def hiss(seconds: float, seed: int = 1) -> Samples:
    """Below 0.8 of full scale and smooth enough that a click would show."""
    raw = np.random.default_rng(seed).standard_normal((2, round(seconds * RATE) + 31))
    return 0.5 * np.stack([np.convolve(side, np.hanning(34)[1:-1] / 16, "valid") for side in raw])


def silence(seconds: float) -> Samples:
    return np.zeros((2, round(seconds * RATE)))


def test_the_first_pass_is_the_track_itself(tmp_path: Path) -> None:
    track = hiss(3)
    loop = Loop(write_wav(tmp_path / "a.wav", track), scratch=tmp_path, crossfade=0.5)
    assert np.abs(loop.read(round(2.5 * RATE)) - track[:, : round(2.5 * RATE)]).max() < 1e-4
    assert loop.seconds == pytest.approx(2.5)


def test_the_seam_is_an_equal_power_crossfade(tmp_path: Path) -> None:
    track, fade = hiss(3), RATE // 2
    loop = Loop(write_wav(tmp_path / "a.wav", track), scratch=tmp_path, crossfade=0.5)
    sound = pulled(loop, 6 * RATE, (4800, 1, 7777))
    angle = (np.arange(fade) + 0.5) / fade * math.pi / 2
    seam = track[:, -fade:] * np.cos(angle) + track[:, :fade] * np.sin(angle)
    period = 3 * RATE - fade
    expected = np.concatenate([track[:, :period], seam, track[:, fade:period], seam, track[:, fade:]], axis=1)
    assert np.abs(sound - expected[:, : 6 * RATE]).max() < 1e-4


def test_power_is_constant_over_the_seam_and_nothing_clicks(tmp_path: Path) -> None:
    track = hiss(8)
    loop = Loop(write_wav(tmp_path / "a.wav", track), scratch=tmp_path, crossfade=2)
    sound = pulled(loop, 30 * RATE)
    levels = [decibels(sound[:, start : start + RATE]) for start in range(0, sound.shape[1], RATE)]
    assert max(levels) - min(levels) < 0.5
    assert largest_jump(sound) <= 1.1 * largest_jump(track)  # two sounds at once may add up a little


def test_silence_at_the_ends_is_left_out(tmp_path: Path) -> None:
    track = np.concatenate([silence(1.3), hiss(4), silence(2.1)], axis=1)
    loop = Loop(write_wav(tmp_path / "a.wav", track), scratch=tmp_path, crossfade=1)
    assert loop.seconds == pytest.approx(3, abs=0.01)
    sound = pulled(loop, 12 * RATE)
    assert (
        min(decibels(sound[:, s : s + 2400]) for s in range(0, sound.shape[1], 2400)) > decibels(hiss(4)) - 2
    )


def test_silence_within_the_music_stays(tmp_path: Path) -> None:
    track = np.concatenate([hiss(1), silence(1), hiss(1, 2)], axis=1)
    loop = Loop(write_wav(tmp_path / "a.wav", track), scratch=tmp_path, crossfade=0.1)
    assert not pulled(loop, 3 * RATE)[:, RATE + 10 : 2 * RATE - 10].any()


def test_a_short_track_has_a_shorter_crossfade(tmp_path: Path) -> None:
    loop = Loop(write_wav(tmp_path / "a.wav", hiss(2)), scratch=tmp_path, crossfade=4)
    assert loop.seconds == pytest.approx(1.5)
    sound = pulled(loop, 10 * RATE)
    assert largest_jump(sound) <= 1.05 * largest_jump(hiss(2))


def test_the_beginning_can_be_left_out(tmp_path: Path) -> None:
    track = hiss(3)
    path = write_wav(tmp_path / "a.wav", track)
    loop = Loop(path, scratch=tmp_path, crossfade=0, start=1.25)
    expected = np.tile(track[:, round(1.25 * RATE) :], 3)
    assert np.abs(pulled(loop, 5 * RATE) - expected[:, : 5 * RATE]).max() < 1e-4
    with pytest.raises(Unsuitable, match="cannot start at 3 s"):
        Loop(path, scratch=tmp_path, start=3)


def test_a_silent_track_stays_silent_and_says_so(tmp_path: Path) -> None:
    loop = Loop(write_wav(tmp_path / "a.wav", silence(2)), scratch=tmp_path)
    assert not pulled(loop, 5 * RATE).any()
    assert [warning.code for warning in loop.facts.warnings] == ["silent"]


@pytest.mark.parametrize("rate", [44_100, 22_050, 32_000, 96_000])
def test_any_rate_becomes_48_khz_without_a_trace(tmp_path: Path, rate: int) -> None:
    t = np.arange(3 * rate) / rate
    track = 0.5 * np.sin(2 * np.pi * 9000 * t)[None]
    loop = Loop(write_wav(tmp_path / "a.wav", track, rate), scratch=tmp_path, crossfade=0)
    assert loop.seconds == pytest.approx(3, abs=1e-3)
    sound = loop.read(3 * RATE)[:, RATE // 2 : -RATE // 2]
    assert tone_hz(sound[0], 9000) == pytest.approx(9000, abs=1e-3)
    assert thd_n(sound[0], 9000) < -85  # what 16 bits allow


def test_mono_stays_in_the_middle(tmp_path: Path) -> None:
    track = sine(300, 2, 0.5)[:1]
    loop = Loop(write_wav(tmp_path / "a.wav", track, 44_100), scratch=tmp_path)
    left, right = pulled(loop, 5 * RATE)
    assert np.array_equal(left, right)
    assert np.abs(left[: RATE // 4]).max() == pytest.approx(0.5, abs=1e-3)


def test_an_mp3_loops_without_the_gap_of_its_encoder(tmp_path: Path) -> None:
    track = np.round(hiss(4).T * 32767).astype("<i2")
    encoder = lameenc.Encoder()
    encoder.set_in_sample_rate(RATE)
    encoder.set_channels(2)
    encoder.silence()
    path = tmp_path / "a.mp3"
    path.write_bytes(bytes(encoder.encode(track.tobytes())) + bytes(encoder.flush()))
    loop = Loop(path, scratch=tmp_path, crossfade=0.5)
    sound = pulled(loop, 12 * RATE)
    assert (
        min(decibels(sound[:, s : s + 2400]) for s in range(2400, sound.shape[1], 2400))
        > decibels(track / 32767) - 2
    )


def test_decoding_stops_when_there_is_enough(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", hiss(20))
    loop = Loop(path, scratch=tmp_path, crossfade=1, enough=5)
    assert loop.facts.seconds < 12
    assert loop.facts.warnings == ()  # in particular none of being cut off
    assert np.array_equal(pulled(loop, 5 * RATE), pulled(Loop(path, scratch=tmp_path), 5 * RATE))


def test_nothing_is_left_in_the_scratch_folder(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    Loop(write_wav(tmp_path / "a.wav", hiss(1)), scratch=scratch).read(100)
    assert list(scratch.iterdir()) == []


def test_what_cannot_be_looped(tmp_path: Path) -> None:
    text = tmp_path / "a.mp3"
    text.write_text("no music at all")
    with pytest.raises(Unreadable, match="looks like text"):
        Loop(text, scratch=tmp_path)
    with pytest.raises(ValueError, match="0 or more"):
        Loop(text, scratch=tmp_path, crossfade=-1)
    with pytest.raises(Unsuitable, match="too long"):
        Loop(write_wav(tmp_path / "a.wav", hiss(2)), scratch=tmp_path, max_seconds=1)
