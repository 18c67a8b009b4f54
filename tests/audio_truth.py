"""What is true of a sound, measured without the code under test."""

from __future__ import annotations

import math
import wave
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from renderkiln.media.audio.loudness import Loudness, Meter
from renderkiln.media.audio.source import RATE, Block, Source

Samples = npt.NDArray[np.floating]


class Recording:
    """A source that plays an array of shape (2, n), and silence after it."""

    def __init__(self, sound: Samples) -> None:
        self._sound = sound.astype(np.float32)
        self._at = 0

    def read(self, n: int) -> Block:
        out = np.zeros((2, n), np.float32)
        piece = self._sound[:, self._at : self._at + n]
        out[:, : piece.shape[1]] = piece
        self._at += n
        return out


def sine(hz: float, seconds: float, amplitude: float = 1.0) -> Samples:
    """A stereo sine at `RATE`, of shape (2, n)."""
    wave_ = amplitude * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)
    return np.stack([wave_, wave_])


def pieces(sound: Samples, size: int = 4800) -> Iterable[Block]:
    """An array of shape (2, n) as blocks."""
    for start in range(0, sound.shape[1], size):
        yield np.ascontiguousarray(sound[:, start : start + size], np.float32)


def pulled(source: Source, samples: int, sizes: Iterable[int] = (4800,)) -> Block:
    """What `source` gives when it is read in pieces of these sizes, over and over."""
    blocks: list[Block] = []
    missing, cycle = samples, list(sizes)
    while missing:
        blocks.append(source.read(min(missing, cycle[len(blocks) % len(cycle)])))
        missing -= blocks[-1].shape[1]
    return np.concatenate(blocks, axis=1)


def largest_jump(samples: Samples) -> float:
    """The largest step from one sample to the next: what a click is made of."""
    return float(np.abs(np.diff(samples.astype(np.float64), axis=-1)).max(initial=0.0))


def tone_hz(samples: Samples, near: float, rate: int = RATE) -> float:
    """The frequency of the tone within a few Hz of `near`, by how its phase moves; of one channel."""
    t = np.arange(len(samples)) / rate
    baseband = samples * np.exp(-2j * np.pi * near * t)
    half = len(samples) // 2
    window = np.hanning(half)
    early, late = np.sum(baseband[:half] * window), np.sum(baseband[half : 2 * half] * window)
    return near + float(np.angle(late * np.conj(early))) / (2 * np.pi * half / rate)


def thd_n(samples: Samples, hz: float, rate: int = RATE) -> float:
    """All that is not the tone, in dB against it; of one channel."""
    t = np.arange(len(samples)) / rate
    basis = np.stack([np.sin(2 * np.pi * hz * t), np.cos(2 * np.pi * hz * t), np.ones(len(t))], axis=1)
    fit, *_ = np.linalg.lstsq(basis, samples.astype(np.float64), rcond=None)
    rest = samples - basis @ fit
    return 10 * math.log10(float(np.mean(rest**2)) / (float(fit[0] ** 2 + fit[1] ** 2) / 2))


def decibels(samples: Samples) -> float:
    """RMS in dBFS."""
    return 10 * math.log10(float(np.mean(np.square(samples, dtype=np.float64))))


def measured(sound: Iterable[Block]) -> Loudness:
    """By the meter, whose own tests are those of EBU Tech 3341."""
    meter = Meter(RATE)
    for block in sound:
        meter.add(block)
    return meter.result()


def write_wav(path: Path, sound: Samples, rate: int = RATE) -> Path:
    """16 bits; `sound` has the shape (channels, n)."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(sound))
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.round(sound.T * 32767).astype("<i2").tobytes())
    return path
