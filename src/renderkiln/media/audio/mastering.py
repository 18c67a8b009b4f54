"""Brings a mix to a loudness, by one gain for all of it and a limiter for the peaks; never by compressing."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numba import njit

from renderkiln.media.audio.limiter import Gains, Limiter
from renderkiln.media.audio.loudness import Energies, integrated
from renderkiln.media.audio.source import BLOCK, MILLISECOND, RATE, Block
from renderkiln.media.audio.spool import ENERGY_MS, Spool
from renderkiln.media.errors import Unsuitable

kernel = njit(cache=True, nogil=True, fastmath=True)

TOLERANCE = 0.005  # LU
MAX_GAIN = 40.0  # dB: beyond it, it would be the noise that is heard
MAX_REDUCTION = 20.0  # dB: beyond it, the limiter would be the sound
_MAX_ITERATIONS = 8
_SHORTEST = 0.4  # seconds: one window of BS.1770
_AUDIBLE = 10 ** (-1 / 20)  # a reduction that counts
_PIECE = 10_000  # milliseconds


@dataclass(frozen=True)
class Master:
    """How a spool comes to its loudness.

    `gain_db` is for all of it, `reduction_db` the most that the limiter takes from that, and `limited` the
    share of the time in which it takes more than 1 dB. `shortfall` is what is missing to the target in LU,
    0 when it is met, and `note` says why, in words for people.
    """

    gain_db: float
    limiter: Limiter | None  # None: no peak comes near the ceiling
    predicted_lufs: float
    reduction_db: float
    limited: float
    iterations: int
    shortfall: float
    note: str | None

    def blocks(self, spool: Spool, gain_db_extra: float = 0.0) -> Iterator[Block]:
        """The finished sound, in blocks of shape (2, `BLOCK`), the last one perhaps shorter.

        `gain_db_extra` comes after the limiter, and moves its ceiling: it makes up for what an encoder takes.
        """
        frames, gain = spool.frames(), 10 ** (self.gain_db / 20)
        after = np.float32(gain * 10 ** (gain_db_extra / 20))
        gains = np.full(BLOCK // MILLISECOND + 1, after)
        for start in range(0, spool.samples, BLOCK):
            piece = frames[start : start + BLOCK]
            if self.limiter is not None:
                gains = after * self.limiter.gains(gain, start // MILLISECOND, len(gains))
            block = np.empty((2, len(piece)), np.float32)
            _apply(piece, gains, block)
            yield block


def solve(spool: Spool, *, target_lufs: float, ceiling_dbtp: float) -> Master:
    """What gives the spool `target_lufs` LUFS and no true peak above `ceiling_dbtp` dBTP.

    The gain is corrected by what is missing until the loudness is within `TOLERANCE`, by the secant method:
    the more the limiter works, the less of each decibel arrives. Raises Unsuitable when the mix is silent or
    too short to have a loudness.
    """
    energies = spool.energies()
    loudness = _loudness(spool, energies)
    limiter = Limiter(spool, 10 ** (ceiling_dbtp / 20))
    most = min(MAX_GAIN, MAX_REDUCTION + ceiling_dbtp - 20 * math.log10(spool.peaks().max()))
    gain, arriving, last = min(target_lufs - loudness, most), 1.0, None
    for iteration in range(1, _MAX_ITERATIONS + 1):  # noqa: B007 (how many there were is told below)
        effect = _effect(limiter, energies, gain)
        missing = target_lufs - effect.lufs
        if abs(missing) < TOLERANCE or (missing > 0 and gain == most):
            break
        if last is not None and gain != last.gain_db:
            arriving = min(1.0, max(0.1, (effect.lufs - last.lufs) / (gain - last.gain_db)))
        gain, last = min(gain + missing / arriving, most), effect
    shortfall = missing if missing >= TOLERANCE else 0.0
    return Master(
        gain_db=effect.gain_db,
        limiter=limiter if effect.reduction_db > 0 else None,
        predicted_lufs=effect.lufs,
        reduction_db=effect.reduction_db,
        limited=effect.limited,
        iterations=iteration,
        shortfall=shortfall,
        note=_note(effect, shortfall) if shortfall else None,
    )


@dataclass(frozen=True)
class _Effect:
    """What a gain and the limiter after it make of a spool."""

    gain_db: float
    lufs: float
    reduction_db: float
    limited: float


def _loudness(spool: Spool, energies: Energies) -> float:
    if spool.samples < _SHORTEST * RATE:
        raise Unsuitable(
            f"the mix is too short: {spool.samples / RATE:.3f} s; a loudness needs {_SHORTEST} s"
        )
    loudness = integrated(_hops(energies))
    if loudness == -math.inf:
        raise Unsuitable("the mix is silent: nothing in it is louder than -70 LUFS")
    return loudness


def _effect(limiter: Limiter, energies: Energies, gain_db: float) -> _Effect:
    gain, milliseconds = 10 ** (gain_db / 20), limiter.milliseconds
    limiter.prepare(gain)
    powers, lowest, limited = energies * gain**2, 1.0, 0
    for first in range(0, milliseconds, _PIECE):
        gains = limiter.gains(gain, first, min(_PIECE, milliseconds - first) + 1)
        lowest = min(lowest, float(gains.min()))
        if lowest == 1.0:
            continue
        limited += int(np.count_nonzero(gains[1:] < _AUDIBLE))
        part = powers[first // ENERGY_MS : (first + _PIECE) // ENERGY_MS]
        part *= _mean_squares(gains)[: len(part)]
    reduction = 20 * math.log10(1 / lowest)
    return _Effect(gain_db, integrated(_hops(powers)), reduction, limited / milliseconds)


def _mean_squares(gains: Gains) -> Energies:
    """Of straight lines between gains a millisecond apart: the mean of each whole `ENERGY_MS`."""
    squares = (gains[1:] ** 2 + gains[1:] * gains[:-1] + gains[:-1] ** 2) / 3
    return _means(squares.astype(np.float64), ENERGY_MS)


def _hops(energies: Energies) -> Energies:
    """Those of BS.1770, of 100 ms."""
    return _means(energies, 100 // ENERGY_MS)


def _means(values: Energies, of: int) -> Energies:
    return values[: len(values) // of * of].reshape(-1, of).mean(axis=1)


def _note(effect: _Effect, shortfall: float) -> str:
    result = f"the sound stays {shortfall:.1f} LU below the target loudness"
    if effect.gain_db == MAX_GAIN:
        return f"the mix is so quiet that the most it may be raised, {MAX_GAIN:g} dB, is not enough: {result}"
    return (
        f"the peaks are so far above the rest that the limiter takes {effect.reduction_db:.0f} dB of them, "
        f"and may not take more: {result}"
    )


@kernel
def _apply(frames: Block, gains: Gains, out: Block) -> None:
    """Gains on straight lines from millisecond to millisecond; `out` begins with one."""
    for step in range((frames.shape[0] + 47) // 48):
        begin, end = step * 48, min(step * 48 + 48, frames.shape[0])
        gain, slope = gains[step], (gains[step + 1] - gains[step]) * np.float32(1 / 48)
        left, right, piece = out[0, begin:end], out[1, begin:end], frames[begin:end]
        for i in range(end - begin):
            now = gain + slope * np.float32(np.int32(i))
            left[i] = piece[i, 0] * now
            right[i] = piece[i, 1] * now
