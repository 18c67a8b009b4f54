"""The gain that keeps true peaks below a ceiling: it moves before they come, and too slowly to distort."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from renderkiln.media.audio.loudness import interpolator
from renderkiln.media.audio.source import Block
from renderkiln.media.audio.spool import Spool

kernel = njit(cache=True, nogil=True, fastmath=True)

Gains = npt.NDArray[np.float32]

_REACH = 20  # milliseconds before and after a peak in which it is felt, twice: see `gains`


class Limiter:
    """Gains for a spool made louder by `gain`, so that its true peaks (BS.1770) stay below `ceiling`, linear.

    One gain for both channels: the picture does not move. It is the lowest that any millisecond within
    `_REACH` needs, smoothed by a window of the same width; so it is never above what a peak needs, has no
    corner, and hardly moves during a tone of 25 Hz or more.
    """

    def __init__(self, spool: Spool, ceiling: float) -> None:
        self._ceiling = ceiling
        self._frames = spool.frames()
        self._peaks = spool.peaks()
        self._is_true = np.zeros(len(self._peaks), np.bool_)  # whether the peak is the true one
        self._phases = interpolator()
        self._bound = float(np.abs(self._phases).sum(axis=1).max())  # of true peak against sample peak
        window = np.hanning(2 * _REACH + 3)[1:-1]
        self._window = (window / window.sum()).astype(np.float32)

    @property
    def milliseconds(self) -> int:
        """Of the spool."""
        return len(self._peaks)

    def prepare(self, gain: float) -> None:
        """To be called before `gains`: measure true peaks wherever they could beat the ceiling."""
        _sharpen(self._frames, self._peaks, self._is_true, self._phases, self._bound, self._ceiling / gain)

    def gains(self, gain: float, first: int, count: int) -> Gains:
        """At the beginnings of the milliseconds first, first + 1, … , to be joined by straight lines."""
        out = np.empty(count, np.float32)
        _limit(self._peaks, np.float32(self._ceiling / gain), self._window, first, out)
        return out


@kernel
def _limit(peaks: Block, highest: np.float32, window: Gains, first: int, out: Gains) -> None:
    """What peaks need to be `highest` or lower: `out[j]` is felt in the milliseconds before and after it."""
    width = window.shape[0]
    reach = width // 2
    start, count = first - 2 * reach - 1, out.shape[0] + 4 * reach + 1
    loudest = np.zeros(count, np.float32)
    begin, end = max(0, start), min(peaks.shape[0], start + count)
    top = np.float32(0.0)
    for k in range(begin, end):
        loudest[k - start] = peaks[k]
        top = max(top, peaks[k])
    out[:] = np.float32(1.0)
    if top <= highest:
        return
    needed = np.empty(out.shape[0] + 2 * reach, np.float32)
    for j in range(needed.shape[0]):  # of two milliseconds that meet here
        needed[j] = max(loudest[j], loudest[j + 1])
    for shift in range(2, width + 1):
        for j in range(needed.shape[0]):
            needed[j] = max(needed[j], loudest[j + shift])
    for j in range(needed.shape[0]):
        needed[j] = min(np.float32(1.0), highest / max(needed[j], np.float32(1e-20)))
    out[:] = np.float32(0.0)
    for shift in range(width):
        weight = window[shift]
        for j in range(out.shape[0]):
            out[j] += weight * needed[j + shift]


@kernel
def _sharpen(
    frames: Block, peaks: Block, is_true: npt.NDArray[np.bool_], phases: Gains, bound: float, highest: float
) -> None:
    near = np.empty((60, 2), np.float32)  # 48 samples, and the taps around them
    for k in range(peaks.shape[0]):
        local = max(peaks[max(k - 1, 0)], max(peaks[k], peaks[min(k + 1, peaks.shape[0] - 1)]))
        if is_true[k] or local * bound <= highest:
            continue
        start = k * 48 - 6
        for i in range(60):
            for side in range(2):
                at = start + i
                near[i, side] = frames[at, side] if 0 <= at < frames.shape[0] else np.float32(0.0)
        peaks[k] = max(peaks[k], _highest_between(near.ravel(), phases))
        is_true[k] = True


@kernel
def _highest_between(near: Block, phases: Gains) -> np.float32:
    """Of 49 places between the samples of two interleaved channels, four phases each."""
    between, top = np.empty(98, np.float32), np.float32(0.0)
    for phase in range(phases.shape[0]):
        between[:] = np.float32(0.0)
        for tap in range(12):
            weight = phases[phase, tap]
            for i in range(98):
                between[i] += weight * near[i + 2 * tap]
        for i in range(98):
            top = max(top, abs(between[i]))
    return top
