"""Oscillators, envelopes, a filter: what instruments are made of.

A mono sound has shape (samples,), a stereo sound (samples, 2), both float32 at `RATE`.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

RATE = 48_000  # samples per second
Sound = npt.NDArray[np.float32]

LOWPASS, BANDPASS, HIGHPASS = 0, 1, 2


def samples(seconds: float) -> int:
    """Length in samples."""
    return round(seconds * RATE)


def hertz(pitch: float) -> float:
    """Frequency of a MIDI pitch in equal temperament, A4 = 69 = 440 Hz."""
    return float(440.0 * 2.0 ** ((pitch - 69.0) / 12.0))


def clock(length: int) -> npt.NDArray[np.float64]:
    """Seconds since the start of a sound, one per sample."""
    seconds: npt.NDArray[np.float64] = np.arange(length) / RATE
    return seconds


def sine(frequency: Any, length: int, phase: float = 0.0) -> Sound:
    """A sine; `frequency` in Hz is a number or one value per sample. `phase` in turns."""
    return np.sin(2 * np.pi * _turns(frequency, length, phase)).astype(np.float32)


def saw(frequency: Any, length: int, phase: float = 0.0) -> Sound:
    """A sawtooth whose step is rounded off against aliasing (PolyBLEP; Välimäki & Huovilainen 2007)."""
    turns = _turns(frequency, length, phase)
    step = np.asarray(frequency, np.float64) / RATE
    position = turns - np.floor(turns)
    wave = 2.0 * position - 1.0
    after, before = position / step, (position - 1.0) / step
    wave -= np.where(after < 1.0, 2.0 * after - after * after - 1.0, 0.0)
    wave -= np.where(before > -1.0, before * before + 2.0 * before + 1.0, 0.0)
    return wave.astype(np.float32)


def noise(rng: np.random.Generator, length: int) -> Sound:
    """White noise, standard deviation 1."""
    return rng.standard_normal(length, np.float32)


def swell(length: int, attack: float, release: float) -> Sound:
    """An envelope 0 → 1 → 0 with raised-cosine ends, `attack` and `release` in seconds: it never clicks."""
    envelope = np.ones(length, np.float32)
    rise, fall = (_ramp(min(samples(seconds), length)) for seconds in (attack, release))
    envelope[: len(rise)] *= rise
    envelope[length - len(fall) :] *= fall[::-1]
    return envelope


def decay(length: int, seconds: float, attack: float = 0.002) -> Sound:
    """A struck sound's envelope: `attack` up, then down by 60 dB in `seconds`, closed at its end."""
    t = clock(length)
    return (np.exp(-6.9078 * t / seconds) * swell(length, attack, min(0.01, length / RATE / 2))).astype(
        np.float32
    )


def pan(sound: Sound, position: float) -> Sound:
    """Mono to stereo with equal power; `position` −1 (left) … 1 (right)."""
    angle = (position + 1.0) * math.pi / 4
    return np.stack([sound * math.cos(angle), sound * math.sin(angle)], axis=1).astype(np.float32)


def filtered(sound: Sound, cutoff: Any, resonance: float = 0.7, mode: int = LOWPASS) -> Sound:
    """A 12 dB/octave filter of a mono sound; `cutoff` in Hz is a number or one value per sample.

    The trapezoidal state-variable filter of Simper (Cytomic 2013): stable while its cutoff moves.
    """
    bounded = np.clip(np.broadcast_to(np.asarray(cutoff, np.float32), sound.shape), 10.0, 0.45 * RATE)
    return _state_variable(np.ascontiguousarray(sound), bounded.astype(np.float32), resonance, mode)


def _ramp(length: int) -> Sound:
    return (0.5 - 0.5 * np.cos(np.pi * np.arange(length) / max(length, 1))).astype(np.float32)


def _turns(frequency: Any, length: int, phase: float) -> npt.NDArray[np.float64]:
    if np.ndim(frequency) == 0:
        return clock(length) * float(frequency) + phase
    steps: npt.NDArray[np.float64] = np.asarray(frequency, np.float64)[:length] / RATE
    turns: npt.NDArray[np.float64] = np.cumsum(steps) - steps[0] + phase
    return turns


@numba.njit(cache=True, nogil=True, fastmath=True)
def _state_variable(sound: Sound, cutoff: Sound, resonance: float, mode: int) -> Sound:
    out = np.empty_like(sound)
    k = 1.0 / resonance
    first = second = 0.0
    for i in range(len(sound)):
        g = math.tan(math.pi * cutoff[i] / RATE)
        a1 = 1.0 / (1.0 + g * (g + k))
        a2, a3 = g * a1, g * g * a1
        rest = sound[i] - second
        band = a1 * first + a2 * rest
        low = second + a2 * first + a3 * rest
        first, second = 2.0 * band - first, 2.0 * low - second
        if mode == 0:
            out[i] = low
        elif mode == 1:
            out[i] = band * k
        else:
            out[i] = sound[i] - k * band - low
    return out
