"""What every sample of a track tells without a filter: clipping, offset, silence, correlation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from renderkiln.media.audio.stereo import Block

kernel = njit(cache=True, nogil=True, fastmath=True)

Sums = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_QUIET = 10 ** (-60 / 20)
_MIN_SILENCE = 1.0  # seconds
_FULL_SCALE = 32767 / 32768  # the highest 16-bit sample
_CLIP_RUN = 3  # samples at full scale in a row: one alone is a peak, three are a cut-off one
_STEP = 48  # samples: silence is told to the millisecond


@dataclass(frozen=True)
class Silence:
    """A stretch below −60 dBFS in both channels, in seconds."""

    start: float
    end: float


class Survey:
    """Feed it blocks of shape (2, n), of any length, then ask. It keeps nothing but the silences."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._samples = 0
        self._sums = np.zeros(5)  # of left, right, left², right², left · right
        self._runs = np.zeros((2, 2), np.int64)  # samples at full scale just now; runs of them so far
        self._quiet = 0  # samples it has been quiet for
        self._silences: list[Silence] = []

    def add(self, block: Block) -> None:
        """Look at the next samples, float32 of shape (2, n)."""
        peaks = np.empty(-(-block.shape[1] // _STEP), np.float32)
        _survey(block[0], block[1], self._sums, peaks)
        highest = peaks.max(initial=0.0)
        if highest >= _FULL_SCALE or self._runs[:, 0].any():
            for channel in range(2):
                _count_runs(block[channel], self._runs[channel])
        self._listen(np.flatnonzero(peaks >= _QUIET) * _STEP, block.shape[1])
        self._samples += block.shape[1]

    @property
    def clipped(self) -> int:
        """How many times three or more samples in a row were at full scale, in either channel."""
        return int(self._runs[:, 1].sum())

    @property
    def offset(self) -> tuple[float, float]:
        """Mean of each channel (DC), 1.0 being full scale."""
        left, right = self._sums[:2] / max(1, self._samples)
        return float(left), float(right)

    @property
    def correlation(self) -> float | None:
        """Of the channels: 1 for mono, 0 for strangers, −1 for opposites; None when one of them is silent."""
        count = max(1, self._samples)
        left, right, left2, right2, product = self._sums / count
        spread = (left2 - left * left) * (right2 - right * right)
        return float((product - left * right) / math.sqrt(spread)) if spread > 1e-20 else None

    @property
    def silences(self) -> tuple[Silence, ...]:
        """Those longer than a second, in order, the one that lasts until now included."""
        last = self._silence(self._samples - self._quiet, self._samples)
        return (*self._silences, *last)

    def _listen(self, loud: Counts, length: int) -> None:
        """`loud` are the starts of the milliseconds in this block that are not quiet."""
        quiet_from = np.concatenate([[-self._quiet], loud + _STEP])
        for i in np.flatnonzero(loud - quiet_from[:-1] > _MIN_SILENCE * self._rate):
            start, end = self._samples + int(quiet_from[i]), self._samples + int(loud[i])
            self._silences += self._silence(start, end)
        self._quiet = length - min(length, int(quiet_from[-1]))

    def _silence(self, start: int, end: int) -> tuple[Silence, ...]:
        long = end - start > _MIN_SILENCE * self._rate
        return (Silence(start / self._rate, end / self._rate),) if long else ()


@kernel
def _survey(left: Block, right: Block, sums: Sums, peaks: Block) -> None:
    """Add to the sums; write the highest magnitude of every 48 samples."""
    for step in range(peaks.shape[0]):
        a = b = aa = bb = ab = top = np.float32(0.0)
        for i in range(step * 48, min(step * 48 + 48, left.shape[0])):
            x, y = left[i], right[i]
            a += x
            b += y
            aa += x * x
            bb += y * y
            ab += x * y
            top = max(top, max(abs(x), abs(y)))
        peaks[step] = top
        sums[0] += a
        sums[1] += b
        sums[2] += aa
        sums[3] += bb
        sums[4] += ab


@kernel
def _count_runs(samples: Block, run: Counts) -> None:
    for sample in samples:
        if abs(sample) >= _FULL_SCALE:
            run[0] += 1
            if run[0] == _CLIP_RUN:
                run[1] += 1
        else:
            run[0] = 0
