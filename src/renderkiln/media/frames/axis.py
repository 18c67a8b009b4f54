"""Where the samples of a picture fall when it is laid over a frame, along one axis at a time.

Places are measured in luma pixels from the picture's left or top edge: luma sample i lies at i + 0.5. Chroma
has half as many samples: across they lie on every other luma sample, down between two, as MPEG-2 has it.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from renderkiln.media.frames.kernel import kernel

Places = npt.NDArray[np.float64]
Weights = npt.NDArray[np.float32]
Indices = npt.NDArray[np.uint32]  # unsigned: an index that may be negative keeps a loop from being vectorised


class Rect(NamedTuple):
    """A rectangle of a frame or a picture, its edges in luma pixels; they may lie between two."""

    left: float
    top: float
    right: float
    bottom: float


class Siting(NamedTuple):
    """Sample k of an axis lies at step · k + first, and stands for the luma samples around it by `share`."""

    step: int
    first: float
    around: tuple[int, ...]  # luma samples, from step · k
    share: tuple[float, ...]

    def at(self, index: npt.NDArray[np.int64]) -> Places:
        """Where these samples lie."""
        return np.asarray(self.step * index + self.first, np.float64)


LUMA = Siting(1, 0.5, (0,), (1.0,))
CHROMA_ACROSS = Siting(2, 0.5, (-1, 0, 1), (0.25, 0.5, 0.25))
CHROMA_DOWN = Siting(2, 1.0, (0, 1), (0.5, 0.5))


class Reach(NamedTuple):
    """The samples of a frame's axis between two places: from `start`, each covered by so much, 0 … 1."""

    start: int
    cover: Weights


class Taps(NamedTuple):
    """For each sample the one of the source before it, and the share of the next one (0 … 1)."""

    before: Indices
    share: Weights


def reach(siting: Siting, size: int, low: float, high: float) -> Reach:
    """The samples of an axis of `size` samples that low … high covers, partly at its ends."""
    luma = size * siting.step
    low, high = max(low, 0.0), min(high, float(luma))
    if not low < high:
        return Reach(0, np.empty(0, np.float32))
    start = max(math.floor(low) - 1, 0) // siting.step
    index = np.arange(start, min(math.ceil(high) // siting.step + 1, size))
    cover = np.zeros(index.size)
    for offset, share in zip(siting.around, siting.share, strict=True):
        # What is left of the frame is taken to be as its first column.
        pixel = np.maximum(siting.step * index + offset, 0)
        cover += share * np.clip(np.minimum(pixel + 1, high) - np.maximum(pixel, low), 0, 1)
    used = np.flatnonzero(cover)
    if not used.size:
        return Reach(0, np.empty(0, np.float32))
    return Reach(start + int(used[0]), cover[used[0] : used[-1] + 1].astype(np.float32))


def taps(
    siting: Siting, over: Reach, size: int, origin: float, ratio: float, *, start: float = 0.0, rim: int = 0
) -> Taps:
    """Where each sample of `over` lies in a source of `size` samples (2 or more) of the same siting.

    The place p of the frame shows the place start + (p - origin) · ratio of the source. Beyond its ends the
    source goes on as it ends. It has `rim` samples more at each end than its places know of. Raises
    ValueError for a source of fewer samples than two: kernels read the one after a tap without looking.
    """
    if size < 2:
        raise ValueError(f"a source of {size} samples: expected two or more")
    place = start + (siting.at(np.arange(over.start, over.start + over.cover.size)) - origin) * ratio
    sample = np.clip((place - siting.first) / siting.step + rim, 0, size - 1)
    before = np.minimum(np.floor(sample), size - 2)
    return Taps(before.astype(np.uint32), (sample - before).astype(np.float32))


@kernel
def sample_row(
    plane: npt.NDArray[Any], across: Taps, top: int, share: np.float32, between: Weights, out: Weights
) -> None:
    """One row of a plane, `share` of the way from row `top` to the next, at the places `across`: bilinear.

    `between` is scratch space as wide as the plane.
    """
    first = np.int64(across.before[0])
    last = np.int64(across.before[across.before.size - 1]) + 2
    upper, lower, mixed = plane[top, first:last], plane[top + 1, first:last], between[first:last]
    for i in range(mixed.size):
        above = np.float32(upper[i])
        mixed[i] = above + (np.float32(lower[i]) - above) * share
    for n in range(out.size):
        k = np.uint32(n)
        at = across.before[k]
        before = between[at]
        out[k] = before + (between[at + np.uint32(1)] - before) * across.share[k]
