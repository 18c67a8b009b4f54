"""Tiny real media, made by the FFmpeg that the product uses."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from renderkiln.media.ffmpeg.binary import find

Make = Callable[..., Path]


@pytest.fixture(scope="session")
def ffmpeg() -> Path:
    return find()


@pytest.fixture
def make(ffmpeg: Path, tmp_path: Path) -> Make:
    """`make("a.mp3", "-f", "lavfi", "-i", …)` runs FFmpeg and returns the new file's path."""

    def make(name: str, *arguments: str, stdin: bytes | None = None) -> Path:
        path = tmp_path / name
        command = [str(ffmpeg), "-v", "error", *arguments, "-y", f"file:{path}"]
        subprocess.run(command, input=stdin, check=True, stdin=None if stdin else subprocess.DEVNULL)
        return path

    return make


@pytest.fixture
def sound(make: Make) -> Make:
    """`sound("a.mp3", samples, rate, *options)` encodes float samples of shape (channels, n)."""

    def sound(name: str, samples: npt.NDArray[np.floating], rate: int, *options: str) -> Path:
        raw = np.ascontiguousarray(samples.T, "<f4").tobytes()
        source = ("-f", "f32le", "-ar", str(rate), "-ac", str(len(samples)), "-i", "pipe:0")
        return make(name, *source, *options, stdin=raw)

    return sound


@pytest.fixture(scope="session")
def tone() -> Callable[..., npt.NDArray[np.float64]]:
    """`tone(seconds)` is a sine of shape (channels, n)."""

    def tone(
        seconds: float, rate: int = 44100, level: float = 0.25, hertz: float = 997.0, channels: int = 2
    ) -> npt.NDArray[np.float64]:
        wave = level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
        return np.repeat(wave[None], channels, axis=0)

    return tone
