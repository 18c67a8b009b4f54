"""How bright, how varied and how lively the pictures of a film are, in memory that does not grow with it."""

from __future__ import annotations

from dataclasses import dataclass

import av
import numpy as np
import numpy.typing as npt
from numba import njit

Plane = npt.NDArray[np.uint8]

_ACROSS, _DOWN = 240, 135  # luma is looked at on about this grid
_BLACK = 32  # no sample above this code value: 16 is black, and ringing lifts it a little
_STILL = 0.06  # mean absolute difference in code values; encoders shimmer a still picture by up to 0.03
_BINS_PER_VALUE = 100


@dataclass(frozen=True)
class Luma:
    """Statistics of luma over all frames, in 8-bit code values (16 black, 235 white).

    `mean`, `contrast` (standard deviation within a frame) and `change` (mean absolute difference to the frame
    before) each have a median and a maximum over the film.
    """

    mean_median: float
    mean_max: float
    contrast_median: float
    contrast_max: float
    change_median: float
    change_max: float
    black_frames: int
    longest_black: int  # frames in a row
    still_frames: int  # (nearly) equal to the frame before
    longest_still: int


class LumaWatch:
    """Show it every frame, then ask for the result."""

    def __init__(self) -> None:
        self._before: Plane = np.empty((0, 0), np.uint8)
        self._mean, self._contrast, self._change = _Histogram(), _Histogram(), _Histogram()
        self._black, self._still = _Run(), _Run()

    def add(self, frame: av.VideoFrame) -> None:
        """Look at the next frame."""
        luma, across, down = _luma(frame)
        grid = luma[::down, ::across]
        fresh = self._before.shape != grid.shape
        if fresh:
            self._before = np.empty(grid.shape, np.uint8)
        mean, square, top, change = _look(grid, self._before)
        self._mean.add(mean)
        self._contrast.add(max(0.0, square - mean * mean) ** 0.5)
        self._black.add(top <= _BLACK)
        if not fresh:
            self._change.add(change)
            self._still.add(change < _STILL)

    def result(self) -> Luma:
        """The statistics of all frames so far."""
        return Luma(
            mean_median=self._mean.median(),
            mean_max=self._mean.top,
            contrast_median=self._contrast.median(),
            contrast_max=self._contrast.top,
            change_median=self._change.median(),
            change_max=self._change.top,
            black_frames=self._black.total,
            longest_black=self._black.longest,
            still_frames=self._still.total,
            longest_still=self._still.longest,
        )


class _Histogram:
    """Counts values of 0 … 256 in bins of 0.01."""

    def __init__(self) -> None:
        self._counts = np.zeros(256 * _BINS_PER_VALUE + 1, np.int64)
        self.top = 0.0

    def add(self, value: float) -> None:
        self._counts[round(value * _BINS_PER_VALUE)] += 1
        self.top = max(self.top, value)

    def median(self) -> float:
        seen = np.cumsum(self._counts)
        return float(np.searchsorted(seen, seen[-1] / 2) / _BINS_PER_VALUE)


class _Run:
    """Counts how often something is so, and how long in a row at most."""

    def __init__(self) -> None:
        self.total = self.longest = self._current = 0

    def add(self, happened: bool) -> None:  # noqa: FBT001  one thing to say, and it is true or not
        self._current = self._current + 1 if happened else 0
        self.longest = max(self.longest, self._current)
        self.total += happened


def _luma(frame: av.VideoFrame) -> tuple[Plane, int, int]:
    """The luma plane, and the steps across and down that give the grid."""
    if not frame.format.name.startswith(("yuv4", "yuvj4", "gray")) or frame.format.components[0].bits != 8:
        frame = frame.reformat(format="gray")
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: frame.height, : frame.width], max(1, frame.width // _ACROSS), max(1, frame.height // _DOWN)


@njit(cache=True, nogil=True)
def _look(grid: Plane, before: Plane) -> tuple[float, float, int, float]:
    """Mean, mean square, maximum, and mean absolute difference to `before`, which becomes this grid."""
    height, width = grid.shape
    total = squares = difference = top = np.int64(0)
    for j in range(height):
        for i in range(width):
            value, past = np.int64(grid[j, i]), np.int64(before[j, i])  # unsigned differences would wrap
            total += value
            squares += value * value
            difference += abs(value - past)
            top = max(top, value)
            before[j, i] = grid[j, i]
    count = height * width
    return total / count, squares / count, int(top), difference / count
