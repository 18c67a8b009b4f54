"""A short real track, a cover, and FFmpeg's own view of a file."""

from __future__ import annotations

import struct
import subprocess
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from renderkiln.media.audio.stereo import Block
from renderkiln.media.ffmpeg.binary import find

RATE = 48000


def track(seconds: float) -> Block:
    """Noise like speech's and music's spectrum in swells, with 528 Hz in both and 200 / 207 Hz in one ear."""
    samples = round(seconds * RATE)
    rng = np.random.default_rng(11)
    t = np.arange(samples) / RATE
    white = np.fft.rfft(rng.standard_normal((2, samples)))
    hertz = np.arange(white.shape[1]) * RATE / samples
    noise = np.fft.irfft(white / np.sqrt(np.maximum(hertz, 50.0)) / (1 + (hertz / 3000) ** 4), samples)
    noise *= 0.1 / np.sqrt(np.mean(noise**2)) * (0.6 + 0.4 * np.sin(2 * np.pi * 0.7 * t))
    tones = 0.06 * np.sin(2 * np.pi * 528 * t) + 0.06 * np.sin(2 * np.pi * np.array([[200.0], [207.0]]) * t)
    return np.asarray(noise + tones, np.float32)


def cut(sound: Block, size: int = 4800) -> Iterator[Block]:
    for start in range(0, sound.shape[1], size):
        yield sound[:, start : start + size]


@pytest.fixture(scope="session")
def cover(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 40, 30, 8, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x20\x80\xff" * 40) * 30)
    path = tmp_path_factory.mktemp("cover") / "cover.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )
    return path


@pytest.fixture(scope="session")
def ffmpeg_decodes() -> Callable[[Path], Block]:
    """What the ffmpeg program makes of a file, as a player would; any error it prints is one."""

    def decode(path: Path) -> Block:
        command = [str(find()), "-v", "error", "-xerror", "-err_detect", "explode+crccheck"]
        command += ["-i", f"file:{path}", "-map", "0:a", "-f", "f32le", "pipe:1"]
        done = subprocess.run(command, capture_output=True, check=True)
        assert done.stderr == b"", done.stderr.decode()
        return np.frombuffer(done.stdout, np.float32).reshape(-1, 2).T

    return decode
