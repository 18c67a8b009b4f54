"""What comes out of the decoder is what went into the encoder: how long, how loud, and what was wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from renderkiln.media.audio.decode import AudioFacts, open_audio
from renderkiln.media.errors import Unreadable, Unsuitable

pytestmark = pytest.mark.integration
Samples = npt.NDArray[np.float64]
Make = Callable[..., Path]
Tone = Callable[..., Samples]


def decoded(path: Path, max_seconds: float | None = None) -> tuple[npt.NDArray[np.float32], AudioFacts]:
    with open_audio(path, max_seconds=max_seconds) as source:
        blocks = list(source.blocks())
        assert all(block.dtype == np.float32 and block.shape[0] == 2 for block in blocks)
        assert max(block.shape[1] for block in blocks) <= 2 * source.rate
        return np.concatenate(blocks, axis=1), source.facts


def codes(facts: AudioFacts) -> list[str]:
    return [warning.code for warning in facts.warnings]


def level(samples: npt.NDArray[np.float32]) -> float:
    """Amplitude of a steady sine, away from its ends."""
    middle = samples[:, samples.shape[1] // 4 : -samples.shape[1] // 4]
    return float(np.sqrt(2 * np.mean(np.square(middle, dtype=np.float64))))


@pytest.mark.parametrize(
    ("name", "options", "surplus"),
    [
        ("a.wav", ["-c:a", "pcm_s16le"], 0),
        ("a.wav", ["-c:a", "pcm_u8"], 0),
        ("a.wav", ["-c:a", "pcm_s24le"], 0),
        ("a.wav", ["-c:a", "pcm_s32le"], 0),
        ("a.wav", ["-c:a", "pcm_f32le"], 0),
        ("a.wav", ["-c:a", "pcm_f64le"], 0),
        ("a.w64", [], 0),
        ("a.aiff", [], 0),
        ("a.caf", [], 0),
        ("a.au", [], 0),
        ("a.flac", [], 0),
        ("a.m4a", ["-c:a", "alac"], 0),
        ("a.wv", [], 0),
        ("a.mp3", [], 0),
        ("a.m4a", ["-c:a", "aac"], 0),
        ("a.mka", ["-c:a", "libvorbis"], 0),
        ("a.ogg", ["-c:a", "libvorbis"], 128),  # FFmpeg loses the first half block
        # these cannot say where their padding is: at most the frames of the codec more
        ("a.aac", [], 2048),
        ("a.ac3", [], 1536),
        ("a.wma", [], 2 * 2048),
        ("a.mp3", ["-write_xing", "0"], 2 * 1152),
        ("a.avi", ["-c:a", "libmp3lame"], 2 * 1152),
        ("a.ts", ["-c:a", "aac"], 2048),
    ],
)
def test_a_second_is_a_second(sound: Make, tone: Tone, name: str, options: list[str], surplus: int) -> None:
    samples, facts = decoded(sound(name, tone(1.0), 44100, *options))
    assert facts.rate == facts.source_rate == 44100
    assert abs(facts.samples - 44100) <= surplus
    assert facts.samples == samples.shape[1]
    assert level(samples) == pytest.approx(0.25, rel=0.06)  # LAME turns it down by 5 %
    assert codes(facts) == []


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 32000, 44100, 48000, 88200, 96000, 192000])
def test_rates(sound: Make, tone: Tone, rate: int) -> None:
    samples, facts = decoded(sound("a.flac", tone(1.0, rate), rate))
    expected = rate if rate in (44100, 48000) else 48000
    assert facts.source_rate == rate
    assert (facts.rate, samples.shape[1]) == (expected, expected)
    assert level(samples) == pytest.approx(0.25, rel=0.01)


def test_opus_is_exact(sound: Make, tone: Tone) -> None:
    samples, _ = decoded(sound("a.opus", tone(1.0, 48000), 48000))
    assert samples.shape[1] == 48000


@pytest.mark.parametrize("name", ["a.wav", "a.mp3", "a.m4a"])
def test_mono_goes_to_both_sides_as_loud_as_it_was(sound: Make, tone: Tone, name: str) -> None:
    samples, facts = decoded(sound(name, tone(1.0, channels=1), 44100))
    assert facts.source_channels == 1
    np.testing.assert_array_equal(samples[0], samples[1])
    assert level(samples) == pytest.approx(0.25, rel=0.06)


def test_left_stays_left(sound: Make, tone: Tone) -> None:
    both = tone(1.0)
    both[1] = 0
    samples, _ = decoded(sound("a.flac", both, 44100))
    assert level(samples[:1]) == pytest.approx(0.25, rel=0.01)
    assert np.abs(samples[1]).max() == 0


@pytest.mark.parametrize("channels", [3, 4, 6, 8])
def test_surround_is_mixed_down_and_never_clips(sound: Make, tone: Tone, channels: int) -> None:
    loud = tone(1.0, 48000, level=0.99, channels=channels)
    samples, facts = decoded(sound("a.wav", loud, 48000))
    assert facts.source_channels == channels
    assert 0.3 < np.abs(samples).max() <= 1.0
    assert codes(facts) == []


def test_a_block_is_about_a_second_of_a_long_track(sound: Make, tone: Tone) -> None:
    with open_audio(sound("a.mp3", tone(10.0), 44100)) as source:
        lengths = [block.shape[1] for block in source.blocks()]
    assert set(lengths[:-1]) == {44100}


def test_the_audio_of_a_film(make: Make) -> None:
    picture = ("-f", "lavfi", "-i", "testsrc=size=64x64:rate=10:duration=2")
    film = make("a.mp4", *picture, "-f", "lavfi", "-i", "sine=duration=2:sample_rate=44100", "-c:a", "aac")
    assert decoded(film)[1].samples == 2 * 44100


def test_cover_art_is_no_sound(make: Make, sound: Make, tone: Tone) -> None:
    cover = make("c.png", "-f", "lavfi", "-i", "testsrc=size=64x64", "-frames:v", "1")
    plain = sound("plain.mp3", tone(1.0), 44100)
    mapping = ("-map", "0", "-map", "1", "-c", "copy", "-disposition:v", "attached_pic")
    covered = make("a.mp3", "-i", str(plain), "-i", str(cover), *mapping, "-metadata", "title=Ünï")
    samples, facts = decoded(covered)
    assert samples.shape[1] == 44100
    assert facts.tags["title"] == "Ünï"


@pytest.mark.parametrize(
    "name", ["a b.wav", "-i.wav", "a:b%d.wav", "new\nline.wav", "q'\"😀.wav", "concat:x.wav"]
)
def test_any_name(
    sound: Make, tone: Tone, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = sound(f"{name}.wav", tone(0.5), 44100)
    monkeypatch.chdir(tmp_path)
    assert decoded(Path(path.name))[1].samples == 22050


@pytest.mark.parametrize("name", ["a.mp3", "a.wav", "a.flac", "a.wv", "a.aiff"])
def test_what_is_left_of_a_cut_file(sound: Make, tone: Tone, name: str) -> None:
    path = sound(name, tone(4.0), 44100)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    samples, facts = decoded(path)
    assert 1.5 < samples.shape[1] / 44100 < 2.5
    (warning,) = facts.warnings
    assert warning.code == "truncated"
    assert "of 4.0 s could be decoded" in warning.message


def test_what_is_left_of_a_cut_film(sound: Make, tone: Tone) -> None:
    path = sound("a.m4a", tone(4.0), 44100, "-movflags", "+faststart")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    samples, facts = decoded(path)
    assert 1.0 < samples.shape[1] / 44100 < 2.5
    assert codes(facts) == ["truncated"]


@pytest.mark.parametrize("name", ["a.mp3", "a.flac", "a.ogg", "a.aac"])
def test_damage_in_the_middle_is_left_out(sound: Make, tone: Tone, name: str) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (2, 4 * 44100))
    path = sound(name, noise, 44100)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = np.random.default_rng(1).bytes(3000)
    path.write_bytes(content)
    samples, facts = decoded(path)
    assert 1.9 < samples.shape[1] / 44100 < 4.2  # an Ogg page of a second is lost whole
    assert np.isfinite(samples).all()
    assert facts.warnings


def test_silence_is_said(sound: Make) -> None:
    _, facts = decoded(sound("a.flac", np.zeros((2, 44100)), 44100))
    assert codes(facts) == ["silent"]
    assert facts.peak == 0


@pytest.mark.parametrize("rate", [44100, 96000])
@pytest.mark.parametrize("kind", ["pcm_f32le", "pcm_f64le"])
def test_what_is_no_number_becomes_silence(sound: Make, tone: Tone, rate: int, kind: str) -> None:
    broken = tone(1.0, rate)
    broken[:, 100], broken[0, 200], broken[1, 300], broken[0, 400] = np.nan, np.inf, -np.inf, 1e30
    samples, facts = decoded(sound("a.wav", broken, rate, "-c:a", kind))
    assert np.isfinite(samples).all()
    assert facts.peak < 1
    assert codes(facts) == ["not-a-number"]
    if rate == 44100:
        assert "5 samples" in facts.warnings[0].message
        assert samples[0, 100] == samples[0, 200] == samples[1, 300] == samples[0, 400] == 0
    assert level(samples) == pytest.approx(0.25, rel=0.01)


def test_clipping_is_said(sound: Make, tone: Tone) -> None:
    clipped = np.clip(tone(1.0, level=2.0, hertz=10), -1, 1)
    _, facts = decoded(sound("a.wav", clipped, 44100))
    assert codes(facts) == ["clipping"]
    assert "40 places" in facts.warnings[0].message  # 10 Hz, both directions, both channels


def test_a_peak_at_full_scale_is_no_clipping(sound: Make, tone: Tone) -> None:
    _, facts = decoded(sound("a.wav", tone(1.0, level=1.0), 44100))
    assert codes(facts) == []


@pytest.mark.parametrize(("seconds", "fits"), [(0.0, False), (0.09, False), (0.1, True), (0.2, True)])
def test_a_tenth_of_a_second_is_needed(sound: Make, tone: Tone, seconds: float, fits: bool) -> None:
    path = sound("a.wav", tone(seconds), 44100) if seconds else sound("a.wav", tone(0.001), 44100)
    if fits:
        assert decoded(path)[1].seconds == pytest.approx(seconds, abs=1e-4)
    else:
        with pytest.raises(Unsuitable, match="too short"):
            decoded(path)


@pytest.mark.parametrize(("name", "when"), [("a.wav", "open"), ("a.mp3", "open"), ("a.aac", "decode")])
def test_too_long_is_refused_as_early_as_it_can_be_known(
    sound: Make, tone: Tone, name: str, when: str
) -> None:
    path = sound(name, tone(5.0), 44100)
    assert decoded(path, max_seconds=5.5)
    if when == "open":
        with pytest.raises(Unsuitable, match="too long"):
            open_audio(path, max_seconds=4.0)
    with pytest.raises(Unsuitable, match="too long"):
        decoded(path, max_seconds=4.0)


def test_a_film_without_sound(make: Make) -> None:
    film = make("a.mp4", "-f", "lavfi", "-i", "testsrc=size=64x64:rate=10:duration=1")
    with pytest.raises(Unsuitable, match="no audio stream"):
        open_audio(film)


def test_nothing_but_damage(sound: Make, tone: Tone) -> None:
    path = sound("a.flac", tone(1.0), 44100)
    content = bytearray(path.read_bytes())
    start = content.index(b"\xff\xf8")
    content[start:] = b"\xff" * (len(content) - start)
    path.write_bytes(content)
    with pytest.raises(Unreadable):
        decoded(path)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_files_are_given_back(sound: Make, tone: Tone, make: Make) -> None:
    good, silent_film = sound("a.mp3", tone(1.0), 44100), make("b.mp4", "-f", "lavfi", "-i", "color=d=1")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        decoded(good)
        with pytest.raises(Unsuitable):
            open_audio(silent_film)
        with pytest.raises(Unsuitable):
            open_audio(good, max_seconds=0.5)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
