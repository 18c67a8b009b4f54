"""Clicks in clips, found again at the sample where the picture has them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audio_truth import Samples, decibels, largest_jump, sine, thd_n, tone_hz, write_wav
from clips import click_and_flash, edited, ffmpeg, five_one, late_sound, picture, silent_film
from renderkiln.media.audio.excerpt import Excerpt, excerpt
from renderkiln.media.audio.source import RATE, Block
from renderkiln.media.errors import FFmpegStopped, Unreadable, Unsuitable
from renderkiln.media.video.survey import survey

pytestmark = pytest.mark.integration

EXACT = ("-c:v", "libx264", "-preset", "ultrafast", "-c:a", "pcm_s16le", "-movie_timescale", "48000")


def frames(made: Excerpt) -> Block:
    """Of shape (2, n)."""
    assert made.path.stat().st_size == made.samples * 8
    return np.fromfile(made.path, np.float32).reshape(-1, 2).T


def clicks(sound: Samples) -> list[int]:
    """Where something begins after 50 ms of silence, in samples."""
    loud = np.flatnonzero(np.abs(sound).max(axis=0) > 0.2)
    return [int(at) for at, before in zip(loud, [-RATE, *loud[:-1]], strict=True) if at - before > RATE // 20]


def clicking(seconds: float, *at: float, rate: int = RATE) -> Samples:
    """Clicks of a millisecond at these times, mono."""
    sound = np.zeros((1, round(seconds * rate)))
    for time in at:
        sound[0, round(time * rate) : round((time + 0.001) * rate)] = 0.8
    return sound


def film(folder: Path, sound: Samples, *, delay: float = 0.0, seconds: float = 2.0, rate: int = RATE) -> Path:
    """A film with this sound, exactly, `delay` seconds after its picture."""
    wav = write_wav(folder / "sound.wav", sound, rate)
    offset = ("-itsoffset", str(delay), "-i", str(wav))
    return ffmpeg(folder / "film.mov", *picture(64, 36, seconds=seconds), *offset, *EXACT)


@pytest.mark.parametrize("rate", [48_000, 44_100, 32_000])
@pytest.mark.parametrize("delay", [0.0, 0.4])
def test_a_click_is_at_the_sample_where_the_picture_has_it(tmp_path: Path, rate: int, delay: float) -> None:
    path = film(tmp_path, clicking(1.2, 0.25, 0.9, rate=rate), delay=delay, rate=rate)
    found = survey(path)
    for trim in (0.0, 0.1234):
        made = excerpt(path, tmp_path / "a.f32", seconds=2.5, start=found.start, trim=trim)
        expected = [round((at + delay - trim) * RATE) for at in (0.25, 0.9)]
        assert made.samples == round(2.5 * RATE)
        assert clicks(frames(made)) == pytest.approx(expected, abs=1)


def test_a_clock_that_begins_anywhere_does_not_matter(tmp_path: Path) -> None:
    plain = film(tmp_path, clicking(1.5, 0.3, 1.1))
    moved = ffmpeg(
        tmp_path / "a.ts", "-i", str(plain), "-c:v", "copy", "-c:a", "mp2", "-output_ts_offset", "77"
    )
    found = survey(moved)
    made = excerpt(moved, tmp_path / "a.f32", seconds=2, start=found.start)
    assert found.start > 70
    assert clicks(frames(made)) == pytest.approx([0.3 * RATE, 1.1 * RATE], abs=24)  # as MP2 smears it


def test_aac_in_mp4_is_in_sync(tmp_path: Path) -> None:
    path = click_and_flash(tmp_path, seconds=3)
    sound = frames(excerpt(path, tmp_path / "a.f32", seconds=3, start=survey(path).start))[0]
    burst = np.sin(2 * np.pi * 1000 * np.arange(480) / RATE)
    match = np.correlate(sound[RATE - 500 : RATE + 980], burst, "valid")
    assert int(match.argmax()) - 500 == pytest.approx(0, abs=1)


def test_what_an_edit_list_hides_is_not_heard(tmp_path: Path) -> None:
    path = edited(tmp_path)
    found = survey(path)
    assert found.audio is not None
    sound = frames(excerpt(path, tmp_path / "a.f32", seconds=1.2, start=found.start))
    begins = round(max(0.0, found.audio.start - found.start) * RATE)
    assert not sound[:, : max(0, begins - 1)].any()
    assert decibels(sound[:, begins + 2400 : RATE // 2]) == pytest.approx(-21, abs=1)


def test_after_the_end_there_is_silence(tmp_path: Path) -> None:
    path = film(tmp_path, sine(300, 1, 0.5)[:1])
    sound = frames(excerpt(path, tmp_path / "a.f32", seconds=3, start=0.0, trim=0.2001))
    end = round(0.7999 * RATE)
    assert not sound[:, end:].any()
    assert decibels(sound[:, : end - 300]) == pytest.approx(-9.03, abs=0.05)
    assert largest_jump(sound) < 0.025  # the tone's own steps are 0.0196


def test_a_sound_that_fills_no_whole_frame_of_its_codec_fades_out(tmp_path: Path) -> None:
    """The last frame of AAC is filled up: faded out there, the tone before it would end with a click."""
    wav = write_wav(tmp_path / "sound.wav", sine(300, 1, 0.5)[:1], 44_100)
    path = ffmpeg(tmp_path / "a.mp4", *picture(64, 36, seconds=1), "-i", str(wav), "-c:a", "aac", "-shortest")
    seen = survey(path)
    sound = frames(excerpt(path, tmp_path / "a.f32", seconds=3, start=seen.start))
    end = 1 + int(np.flatnonzero(np.abs(sound).max(axis=0) > 1e-3)[-1])
    assert largest_jump(sound[:, end - 2000 : end + 2000]) < 0.04
    assert decibels(sound[:, end - 60 : end]) < decibels(sound[:, end - 1000 : end - 500]) - 12


def test_a_loop_begins_again_where_its_picture_does(tmp_path: Path) -> None:
    path = film(tmp_path, clicking(2, 0.5, 0.7, 1.9), seconds=1.5)
    made = excerpt(path, tmp_path / "a.f32", seconds=4, start=0.0, trim=0.6, period=0.9)
    assert clicks(frames(made)) == pytest.approx([round((0.1 + 0.9 * n) * RATE) for n in range(5)], abs=1)
    assert made.samples == 4 * RATE


def test_the_seams_of_a_loop_do_not_click(tmp_path: Path) -> None:
    path = film(tmp_path, sine(301, 1, 0.5)[:1], seconds=1)
    sound = frames(excerpt(path, tmp_path / "a.f32", seconds=3, start=0.0, trim=0.1, period=0.777))
    assert largest_jump(sound) < 0.025
    assert decibels(sound) == pytest.approx(-9.03, abs=0.15)


def test_a_loop_shorter_than_a_frame_ends(tmp_path: Path) -> None:
    path = film(tmp_path, sine(301, 1, 0.5)[:1])
    assert frames(excerpt(path, tmp_path / "a.f32", seconds=5, start=0.0, period=1e-5)).shape == (2, 5 * RATE)


def test_a_recording_begins_with_its_own_sound(tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "a.wav", clicking(2, 0.5, rate=44_100), 44_100)
    late = ffmpeg(tmp_path / "late.mka", "-itsoffset", "0.7", "-i", str(wav), "-c", "copy")
    for path in (wav, late):
        made = excerpt(path, tmp_path / "a.f32", seconds=1, trim=0.25)
        assert clicks(frames(made)) == pytest.approx([round(0.25 * RATE)], abs=1)


def test_a_gap_in_the_sound_is_silence_and_what_follows_is_in_its_place(tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "a.wav", clicking(2, 0.1, 1.6))
    gap = "aselect='not(between(t,0.5,1.2))'"
    path = ffmpeg(tmp_path / "a.mka", "-i", str(wav), "-af", gap, "-c:a", "pcm_s16le")
    assert clicks(frames(excerpt(path, tmp_path / "a.f32", seconds=2))) == pytest.approx(
        [round(0.1 * RATE), round(1.6 * RATE)], abs=48
    )  # Matroska counts in milliseconds


def test_resampling_leaves_no_trace(tmp_path: Path) -> None:
    t = np.arange(2 * 44_100) / 44_100
    path = write_wav(tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * 9000 * t)[None], 44_100)
    left, right = frames(excerpt(path, tmp_path / "a.f32", seconds=2))[:, 4800:-4800]
    assert np.array_equal(left, right)
    assert tone_hz(left, 9000) == pytest.approx(9000, abs=1e-3)
    assert thd_n(left, 9000) < -85  # what 16 bits allow


def test_mono_is_in_both_channels_as_it_is_and_surround_is_mixed_down(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", sine(1000, 2, 0.1)[:1])
    made = excerpt(path, tmp_path / "a.f32", seconds=2)
    assert decibels(frames(made)[:, :-480]) == pytest.approx(-23.01, abs=0.02)
    assert made.lufs == pytest.approx(-20.0, abs=0.1)
    surround = frames(excerpt(five_one(tmp_path), tmp_path / "b.f32", seconds=1.4))
    assert tone_hz(surround[0, 4800:-9600], 440) == pytest.approx(440, abs=0.05)
    assert tone_hz(surround[1, 4800:-9600], 440) == pytest.approx(440, abs=0.05)


def test_what_is_beyond_the_end_is_silent_and_has_no_loudness(tmp_path: Path) -> None:
    made = excerpt(late_sound(tmp_path), tmp_path / "a.f32", seconds=1, start=0.0, trim=9.0)
    assert made.lufs is None
    assert not frames(made).any()


def test_samples_that_are_no_numbers_are_silent(tmp_path: Path) -> None:
    raw = np.full(RATE, 0.1, np.float32)
    raw[[100, 200, 300]] = np.nan, np.inf, 1e30
    wav = ffmpeg(
        tmp_path / "a.wav", *("-f", "f32le", "-ar", "48000", "-ac", "1", "-i", "pipe:0", "-c:a", "pcm_f32le"),
        stdin=raw.tobytes(),
    )  # fmt: skip
    sound = frames(excerpt(wav, tmp_path / "a.f32", seconds=1))
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() == pytest.approx(0.1)


def test_what_cannot_be_heard(tmp_path: Path) -> None:
    target = tmp_path / "a.f32"
    with pytest.raises(Unsuitable, match="has no audio stream"):
        excerpt(silent_film(tmp_path), target, seconds=1)
    tone = write_wav(tmp_path / "a.wav", sine(300, 1))
    with pytest.raises(Unsuitable, match="has no audio stream 7"):
        excerpt(tone, target, seconds=1, index=7)
    (tmp_path / "text.wav").write_text("no sound at all")
    with pytest.raises(Unreadable, match="looks like text"):
        excerpt(tmp_path / "text.wav", target, seconds=1)
    with pytest.raises(FFmpegStopped):
        excerpt(tone, target, seconds=1, stop=lambda: True)
    for seconds in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="is not a length of sound"):
            excerpt(tone, target, seconds=seconds)
    with pytest.raises(ValueError, match="no sound begins nan s after"):
        excerpt(tone, target, seconds=1, trim=float("nan"))
