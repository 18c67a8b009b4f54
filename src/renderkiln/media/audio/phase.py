"""Where a frequency that moves has got to: its integral, exact at any distance from the start.

Adding up a step for each sample, or multiplying by a time in floating point, loses the phase in minutes. Here
the integral of every straight piece is a parabola in the number of the sample, whose coefficients are
integers of 128 bits below the point; reads start from its exact value and go on in integers of 64 bits.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from renderkiln.media.audio.course import Course
from renderkiln.media.audio.source import RATE

kernel = njit(cache=True, nogil=True, fastmath=True)

Turns = npt.NDArray[np.uint32]  # 2³² is a full turn: they wrap by themselves, and so do their sums

_LONGEST = 1 << 15  # samples from one exact value on; the rounding of `bend` grows with their square
_POINT, _WORD = 128, 64  # bits
_MASK = (1 << _WORD) - 1


class Phase:
    """Turns since the start of a course in Hz, sample by sample at `RATE`, without a jump."""

    def __init__(self, course: Course) -> None:
        self._parabolas = list(_parabolas(course))
        self._starts = [parabola.start for parabola in self._parabolas]
        self._at = 0

    def read(self, n: int) -> Turns:
        """The turns at the next `n` samples."""
        turns = np.empty(n, np.uint32)
        done = 0
        while done < n:
            index = bisect_right(self._starts, self._at) - 1
            count = min(n - done, _LONGEST)
            if index + 1 < len(self._starts):
                count = min(count, self._starts[index + 1] - self._at)
            _advance(turns[done : done + count], *self._parabolas[index].around(self._at))
            done += count
            self._at += count
        return turns


class _Parabola(NamedTuple):
    """Turns at sample n, from sample `start` on: level + slope·n + curve·n², each times 2¹²⁸."""

    start: int
    level: int
    slope: int
    curve: int

    def around(self, n: int) -> tuple[np.uint64, np.uint64, np.uint64]:
        """The same seen from sample `n`, times 2⁶⁴ and modulo whole turns."""
        here = self.level + n * (self.slope + n * self.curve), self.slope + 2 * n * self.curve, self.curve
        level, slope, curve = (np.uint64(value >> (_POINT - _WORD) & _MASK) for value in here)
        return level, slope, curve


def _parabolas(course: Course) -> Iterator[_Parabola]:
    """∫ of f + s·(t − t₀) dt is turns + f·(t − t₀) + s·(t − t₀)²/2, with t = n / RATE."""
    slopes = course.slopes()
    turns = Fraction(0)
    for now, after in zip(slopes, [*slopes[1:], None], strict=True):
        f, s, t = now.value, now.per_second, now.start
        terms = turns - f * t + s * t * t / 2, (f - s * t) / RATE, s / (2 * RATE * RATE)
        yield _Parabola(math.ceil(t * RATE), *(round(term * (1 << _POINT)) for term in terms))
        if after is not None:
            lasts = after.start - t
            turns += f * lasts + s * lasts * lasts / 2


@kernel
def _advance(turns: Turns, level: np.uint64, slope: np.uint64, curve: np.uint64) -> None:
    for i in range(turns.shape[0]):
        k = np.uint64(i)
        turns[i] = np.uint32((level + k * (slope + k * curve)) >> np.uint64(32))
