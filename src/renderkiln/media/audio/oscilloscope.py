"""The wave around an instant, held still: each picture starts its trace at the same place of the cycle."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from renderkiln.media.audio.features import WAVE_POINTS

Samples = npt.NDArray[np.float32]

_SPAN = 0.030  # seconds that a trace shows
_SEARCH = 0.008  # seconds the trigger may move either way: a period of 60 Hz
_SMOOTH = 0.001  # the trigger looks at the wave without its treble
_STAY = 0.3  # how much less steep a crossing at the edge of the search counts


class Oscilloscope:
    """Cuts traces out of a mono wave at `rate` Hz."""

    def __init__(self, rate: int) -> None:
        self._step = max(1, round(rate * _SPAN / WAVE_POINTS))  # samples averaged into one point
        self._search = max(1, int(rate * _SEARCH))
        self._smooth = max(1, int(rate * _SMOOTH))
        self._half = self._step * WAVE_POINTS // 2
        self.reach = self._half + self._search + 2 * self._smooth + 1  # samples needed on each side

    def trace(self, around: Samples) -> npt.NDArray[np.int16]:
        """WAVE_POINTS points from 2 × `reach` samples whose middle is the instant; full scale is 32767."""
        start = self.reach + self._trigger(around) - self._half
        points = around[start : start + 2 * self._half].reshape(WAVE_POINTS, self._step).mean(axis=1)
        return np.asarray(np.clip(points * 32767, -32767, 32767)).astype(np.int16)

    def _trigger(self, around: Samples) -> int:
        """Offset of the steepest rising zero crossing near the middle; 0 where there is none."""
        low = self.reach - self._search - 2 * self._smooth
        high = self.reach + self._search + 2 * self._smooth
        running = np.concatenate(([0.0], np.cumsum(around[low:high], dtype=np.float64)))
        wave = running[self._smooth :] - running[: -self._smooth]  # smoothed; wave[k] is centred smooth/2 on
        crossing = np.flatnonzero((wave[:-1] <= 0) & (wave[1:] > 0))
        crossing = crossing[(crossing >= self._smooth) & (crossing < wave.size - self._smooth)]
        if not crossing.size:
            return 0
        offset = crossing + self._smooth // 2 - 2 * self._smooth - self._search
        steepness = wave[crossing + self._smooth] - wave[crossing - self._smooth]
        steepness *= 1 - _STAY * np.abs(offset) / self._search
        best = int(offset[np.argmax(steepness)])
        return min(max(best, -self._search), self._search)
