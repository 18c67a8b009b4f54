"""Films with known faults: each is found, and sound ones have none."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from renderkiln.media.errors import FFmpegStopped
from renderkiln.media.inspect import inspect

pytestmark = pytest.mark.integration
Make = Callable[..., Path]
Tone = Callable[..., npt.NDArray[np.float64]]
CODING = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac")
SOURCE = "testsrc2=size=320x180:rate=30:duration=2"


def lavfi(source: str) -> tuple[str, ...]:
    return ("-f", "lavfi", "-i", source)


@pytest.fixture
def film(make: Make) -> Path:
    sound = lavfi("sine=frequency=997:duration=2:sample_rate=48000,volume=8dB")
    return make("film.mp4", *lavfi(SOURCE), *sound, *CODING, "-ac", "2", "-movflags", "+faststart")


def test_a_sound_film(film: Path) -> None:
    seen: list[int] = []
    result = inspect(film, on_progress=seen.append)
    assert result.errors == ()
    assert result.video is not None
    assert (result.video.frames, result.video.first, result.video.end) == (60, 0.0, 2.0)
    assert result.video.irregular == 0
    assert result.video.luma is not None
    assert (result.video.luma.black_frames, result.video.luma.still_frames) == (0, 0)
    assert result.video.luma.change_median > 0.5
    assert result.audio is not None
    assert result.audio.first == 0
    assert result.audio.end == pytest.approx(2.0, abs=0.001)
    assert seen == [15, 30, 45, 60]
    assert json.loads(json.dumps(result.to_json()))["video"]["frames"] == 60


def test_a_black_film(make: Make) -> None:
    result = inspect(make("a.mp4", *lavfi("color=black:size=320x180:rate=30:duration=1"), *CODING))
    assert result.audio is None
    assert result.video is not None
    assert result.video.luma is not None
    assert (result.video.luma.black_frames, result.video.luma.longest_black) == (30, 30)


def test_a_film_that_freezes(make: Make) -> None:
    frozen = make("a.mp4", *lavfi(SOURCE), "-vf", "tpad=stop_mode=clone:stop_duration=2", *CODING)
    result = inspect(frozen)
    assert result.video is not None
    assert result.video.frames == 120
    assert result.video.luma is not None
    assert 50 <= result.video.luma.longest_still <= 61  # the encoder settles for some frames


def test_a_hole_in_time(make: Make) -> None:
    hole = ("-vf", r"select=not(between(n\,20\,29))", "-fps_mode", "passthrough")
    holed = make("a.mp4", *lavfi(SOURCE), *hole, *CODING)
    result = inspect(holed)
    assert result.video is not None
    assert (result.video.frames, result.video.irregular) == (50, 1)


def test_sound_that_comes_late(make: Make, film: Path) -> None:
    mapping = ("-map", "0:v", "-map", "1:a", "-c", "copy")
    late = make("a.mp4", "-i", str(film), "-itsoffset", "0.25", "-i", str(film), *mapping)
    result = inspect(late)
    assert result.audio is not None
    assert result.video is not None
    assert result.video.first == 0
    assert result.audio.first == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("share", [0.1, 0.2, 0.3, 0.65, 0.7, 0.8, 0.9])
def test_one_flipped_byte_is_found(film: Path, share: float) -> None:
    """Decoders conceal damage: waiting for exceptions alone misses half of these."""
    content = bytearray(film.read_bytes())
    start = content.index(b"mdat")
    content[start + int((len(content) - start) * share)] ^= 0xFF
    film.write_bytes(content)
    result = inspect(film)
    assert result.error_count > 0
    assert result.errors[0].isprintable()


def test_a_missing_end_is_found(film: Path) -> None:
    content = film.read_bytes()
    film.write_bytes(content[: len(content) * 2 // 3])
    result = inspect(film)
    assert result.video is not None
    assert result.video.frames < 60
    assert result.info.video is not None
    assert result.info.video.frames == 60


def test_it_can_be_stopped(film: Path) -> None:
    with pytest.raises(FFmpegStopped):
        inspect(film, stop=lambda: True)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.flac", "a.wav"])
def test_loudness_agrees_with_ffmpegs_own(ffmpeg: Path, sound: Make, name: str) -> None:
    """A mix with quiet and loud parts, bass, hiss and hard peaks, measured by `ebur128`."""
    rate = 44100
    clock = np.arange(12 * rate) / rate
    rng = np.random.default_rng(5)
    envelope = np.repeat([0.02, 0.5, 0.1, 0.9, 0.001, 0.4], 2 * rate)
    mix = np.stack([np.sin(2 * np.pi * 60 * clock), np.sin(2 * np.pi * 2500 * clock)]) * 0.4
    mix = (mix + rng.normal(0, 0.08, mix.shape)) * envelope
    path = sound(name, mix, rate, *(("-c:a", "aac") if name.endswith(("mp4", "mkv")) else ()))
    command = [str(ffmpeg), "-nostats", "-i", str(path), "-af", "ebur128=peak=true+sample", "-f", "null", "-"]
    report = subprocess.run(command, capture_output=True, text=True, check=True).stderr.split("Summary:")[1]
    integrated, loudness_range, peak, true_peak = (
        float(re.findall(rf"{label}\s+(\S+) ", report)[0])
        for label in ("I:", "LRA:", r"Sample peak:\s+Peak:", r"True peak:\s+Peak:")
    )
    result = inspect(path).audio
    assert result is not None
    assert result.loudness.integrated == pytest.approx(integrated, abs=0.1)
    assert result.loudness.range == pytest.approx(loudness_range, abs=0.3)
    assert result.loudness.peak == pytest.approx(peak, abs=0.1)
    assert result.loudness.true_peak == pytest.approx(true_peak, abs=0.3)
