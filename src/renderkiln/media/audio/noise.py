"""White, pink and brown noise that is the same for the same seed, however it is read, and never repeats."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt
from numba import njit

from renderkiln.media.audio.source import RATE, Block

kernel = njit(cache=True, nogil=True, fastmath=True)

Colour = Literal["white", "pink", "brown"]
Filter = npt.NDArray[np.float64]  # (sections, 2): zero and pole of each first-order section

_RMS = math.sqrt(0.5)
_SUBSONIC = 3.0  # Hz: below it coloured noise falls off, so that it has no direct current
_PINK_POLES = 12.0 * 4.0 ** np.arange(6)  # Hz; zeros half-way between them make a staircase of 3 dB an octave


class Noise:
    """Noise with the RMS of a full-scale sine, −3.01 dBFS, so that equal gains mean equal power to a tone's.

    Level, white: the same in each Hz; pink: −3.01 dB an octave; brown: −6.02 dB an octave. The two channels
    have nothing in common. Its peaks go beyond 1.
    """

    def __init__(self, colour: Colour, seed: int = 0) -> None:
        self._filter = _filters()[colour]
        self._gain = _RMS / _rms_gain(self._filter)
        self._states = np.zeros((2, len(self._filter)))
        self._seeds = np.array(np.random.SeedSequence(abs(seed)).generate_state(2, np.uint64), np.uint64)
        self._at = 0

    def read(self, n: int) -> Block:
        """The next `n` samples, of shape (2, n)."""
        out = np.empty((2, n), np.float32)
        _colour(out, self._filter, self._states, self._gain, self._seeds, np.uint64(self._at))
        self._at += n
        return out


def _filters() -> dict[Colour, Filter]:
    """Poles and zeros by the matched z-transform; a last zero makes up for what that loses at the top.

    Pink: alternating poles and zeros (Keshner 1982), within 0.1 dB of the line from 40 Hz to 16 kHz. Brown:
    an integrator with the zero of Al-Alaoui (1993).
    """
    subsonic, poles, zeros = _root(_SUBSONIC), _root(_PINK_POLES), _root(_PINK_POLES * 2.0)
    pink = [(1.0, subsonic), *zip(zeros, poles, strict=True), (-0.06, 0.0)]
    brown = [(1.0, subsonic), (-1 / 7, subsonic)]
    return {"white": np.empty((0, 2)), "pink": np.array(pink), "brown": np.array(brown)}


def _root(hertz: npt.ArrayLike) -> npt.NDArray[np.float64]:
    return np.exp(-2 * np.pi * np.asarray(hertz) / RATE)


def _rms_gain(sections: Filter) -> float:
    """What the filter makes of the RMS of white noise: the root of its impulse response's energy."""
    impulse = np.zeros(RATE)
    impulse[0] = 1.0
    _through(impulse, sections)
    return float(np.sqrt(np.sum(impulse**2)))


@kernel
def _through(x: Filter, sections: Filter) -> None:
    for section in range(sections.shape[0]):
        zero, pole, state = sections[section, 0], sections[section, 1], 0.0
        for i in range(x.shape[0]):
            y = x[i] + state
            state = pole * y - zero * x[i]
            x[i] = y


@kernel
def _colour(
    out: Block, sections: Filter, states: Filter, gain: float, seeds: npt.NDArray[np.uint64], at: np.uint64
) -> None:
    """Each sample is a hash of its number (SplitMix64, Steele 2014), so there is no state to keep in step."""
    unit = gain * math.sqrt(3.0) * 2.0**-63  # of a uniform distribution
    for i in range(out.shape[1]):
        left = np.float64(np.int64(_mixed(seeds[0], at + np.uint64(i)))) * unit
        right = np.float64(np.int64(_mixed(seeds[1], at + np.uint64(i)))) * unit
        for k in range(sections.shape[0]):
            zero, pole = sections[k, 0], sections[k, 1]
            y, z = left + states[0, k], right + states[1, k]
            states[0, k], states[1, k] = pole * y - zero * left, pole * z - zero * right
            left, right = y, z
        out[0, i], out[1, i] = left, right


@kernel
def _mixed(seed: np.uint64, n: np.uint64) -> np.uint64:
    z = seed + (n + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
