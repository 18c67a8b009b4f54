"""Runs effects on known pictures and sounds, and gives back what FFmpeg made of them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from integration.variations.frames import Frames, Plane
from renderkiln.media.ffmpeg.binary import find
from renderkiln.pipelines.variations.effect import Picture
from renderkiln.pipelines.variations.effect_set import EffectSet
from renderkiln.pipelines.variations.effects import EFFECTS

Filmed = Callable[..., Frames]
Heard = Callable[..., Plane]
FPS = 25


@pytest.fixture(scope="session")
def ffmpeg() -> Path:
    return find()


@pytest.fixture
def filmed(ffmpeg: Path) -> Filmed:
    """`filmed(frames, zoom=3)` is what the effects make of the frames."""

    def filmed(frames: Frames, *, threads: int = 1, **values: float) -> Frames:
        count, height, width = frames.y.shape
        picture = Picture(width, height, Fraction(FPS), count / FPS)
        chain = ",".join(EffectSet(values).picture_filters(EFFECTS, picture))
        source = ("-f", "rawvideo", "-pixel_format", "yuv420p", "-video_size", f"{width}x{height}")
        tags = ("-color_range", "tv", "-colorspace", "bt709", "-framerate", str(FPS), "-i", "pipe:0")
        graph = (
            "-filter_complex_threads",
            str(threads),
            "-filter_complex",
            f"[0:v]{chain},format=yuv420p[v]",
        )
        made = _run(ffmpeg, *source, *tags, *graph, "-map", "[v]", "-f", "rawvideo", stdin=frames.to_bytes())
        return Frames.from_bytes(made, width, height)

    return filmed


@pytest.fixture
def heard(ffmpeg: Path) -> Heard:
    """`heard(samples, speed=1.02)` is what the effects make of samples of shape (channels, n)."""

    def heard(samples: Plane, *, rate: int = 48000, **values: float) -> Plane:
        chain = ",".join(EffectSet(values).sound_filters(EFFECTS))
        source = ("-f", "f32le", "-ar", str(rate), "-ac", str(len(samples)), "-i", "pipe:0")
        graph = ("-filter_complex", f"[0:a]{chain}[a]", "-map", "[a]", "-f", "f32le")
        made = _run(ffmpeg, *source, *graph, stdin=samples.T.astype("<f4").tobytes())
        return np.frombuffer(made, "<f4").astype(np.float64).reshape(-1, len(samples)).T

    return heard


def _run(ffmpeg: Path, *arguments: str, stdin: bytes) -> bytes:
    command = [str(ffmpeg), "-v", "error", *arguments, "pipe:1"]
    ended = subprocess.run(command, input=stdin, capture_output=True, check=False)
    assert (ended.returncode, ended.stderr.decode()) == (0, "")
    return ended.stdout
