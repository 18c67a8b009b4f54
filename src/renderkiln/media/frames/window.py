"""A part of one frame shown in a rectangle of another: drifting photos, clips, zooming scenes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from renderkiln.media.frames.axis import (
    CHROMA_ACROSS,
    CHROMA_DOWN,
    LUMA,
    Reach,
    Rect,
    Siting,
    Taps,
    reach,
    sample_row,
    taps,
)
from renderkiln.media.frames.canvas import Frame
from renderkiln.media.frames.kernel import kernel
from renderkiln.media.frames.picture import halve

Plane = npt.NDArray[np.float32]
Codes = npt.NDArray[np.uint8]

SMALLEST, FARTHEST = 0.01, 1e9  # pixels: what is smaller is not seen, what is further is a mistake


@dataclass(frozen=True, eq=False)
class Mask:
    """What of a rectangle is seen, 0 … 1, for luma (h, w) and chroma (h / 2, w / 2), float32."""

    width: int
    height: int
    luma: Plane
    chroma: Plane

    @classmethod
    def from_alpha(cls, alpha: Codes) -> Mask:
        """From uint8 of shape (h, w), 255 where all is seen. Raises ValueError for any other array."""
        if alpha.dtype != np.uint8 or alpha.ndim != 2 or not alpha.size:
            raise ValueError(f"a mask of {alpha.dtype} {alpha.shape}: expected uint8 of shape (h, w)")
        height, width = alpha.shape
        # At least two samples of chroma each way: between them it is interpolated.
        padded = np.pad(alpha, ((0, max(height & 1, 4 - height)), (0, max(width & 1, 4 - width))), "edge")
        luma = padded.astype(np.float32) / np.float32(255)
        return cls(width, height, luma, halve(luma))


_ALL = Mask.from_alpha(np.full((4, 4), 255, np.uint8))


def draw_window(
    source: Frame,
    frame: Frame,
    *,
    view: Rect,
    place: Rect,
    mask: Mask | None = None,
    opacity: float = 1.0,
    clip: Rect | None = None,
) -> None:
    """Fill `place` of `frame` with `view` of `source`, bilinear, with smooth edges; both may lie anywhere.

    Where the view reaches beyond the source its edge goes on. The mask is stretched over `place`. `opacity`
    is taken into 0 … 1; only what lies within `clip`, a rectangle of the frame, is drawn. A reduction to less
    than half leaves pixels out: bring the source near its size first. Raises ValueError for an empty view, an
    edge that is not a number or beyond FARTHEST, and if the two are one frame.
    """
    clip = place if clip is None else clip
    if not all(abs(edge) <= FARTHEST for edge in (*view, *place, *clip)) or math.isnan(opacity):
        edges = f"{view=} in {place=}, {clip=}, at {opacity=}"
        raise ValueError(f"{edges}: not all are numbers within {FARTHEST:g}")
    if view.left >= view.right or view.top >= view.bottom:
        raise ValueError(f"view {view}: there is nothing between its edges")
    if np.may_share_memory(source.buffer, frame.buffer):
        raise ValueError("a frame cannot be shown in itself")
    if min(place.right - place.left, place.bottom - place.top) < SMALLEST or opacity <= 0:
        return
    pane = _Pane(view, place, clip, mask or _ALL, min(opacity, 1.0))
    pane.draw(source.y, (LUMA, LUMA), pane.mask.luma, frame.y)
    pane.draw(source.u, (CHROMA_ACROSS, CHROMA_DOWN), pane.mask.chroma, frame.u)
    pane.draw(source.v, (CHROMA_ACROSS, CHROMA_DOWN), pane.mask.chroma, frame.v)


class _Pane(NamedTuple):
    view: Rect
    place: Rect
    clip: Rect
    mask: Mask
    opacity: float

    def draw(self, source: Codes, siting: tuple[Siting, Siting], mask: Plane, out: Codes) -> None:
        view, place, clip = self.view, self.place, self.clip
        source = _interpolable(source)
        left, right = max(place.left, clip.left), min(place.right, clip.right)
        columns = reach(siting[0], out.shape[1], left, right)
        rows = reach(siting[1], out.shape[0], max(place.top, clip.top), min(place.bottom, clip.bottom))
        if not columns.cover.size or not rows.cover.size:
            return
        across = _shown(
            siting[0], columns, source.shape[1], (view.left, view.right), (place.left, place.right)
        )
        down = _shown(siting[1], rows, source.shape[0], (view.top, view.bottom), (place.top, place.bottom))
        if self.opacity == 1 and self.mask is _ALL and _is_whole(columns, across) and _is_whole(rows, down):
            _copy(source, across, down, columns.start, rows.start, out)
            return
        seen = _Seen(
            mask,
            _shown(siting[0], columns, mask.shape[1], (0, self.mask.width), (place.left, place.right)),
            _shown(siting[1], rows, mask.shape[0], (0, self.mask.height), (place.top, place.bottom)),
            self.mask is not _ALL,
        )
        _fill(source, across, down, seen, columns, rows, self.opacity, out)


def _interpolable(plane: Codes) -> Codes:
    """With two samples each way at least: a picture of two pixels has one of chroma."""
    height, width = plane.shape
    return plane if min(height, width) > 1 else np.pad(plane, ((0, height == 1), (0, width == 1)), "edge")


class _Seen(NamedTuple):
    mask: Plane
    across: Taps
    down: Taps
    partly: bool  # or else all of it, and the mask is not looked at


def _shown(
    siting: Siting, over: Reach, size: int, view: tuple[float, float], place: tuple[float, float]
) -> Taps:
    ratio = (view[1] - view[0]) / (place[1] - place[0])
    return taps(siting, over, size, place[0], ratio, start=view[0])


def _is_whole(over: Reach, taps: Taps) -> bool:
    """Whether sample falls on sample, one after the other, none of them covered in part."""
    at = taps.before + taps.share
    return bool((over.cover == 1).all() and (at == at[0] + np.arange(at.size)).all() and at[0] == int(at[0]))


def _copy(source: Codes, across: Taps, down: Taps, column: int, row: int, out: Codes) -> None:
    height, width = down.before.size, across.before.size
    top, left = int(down.before[0] + down.share[0]), int(across.before[0] + across.share[0])
    out[row : row + height, column : column + width] = source[top : top + height, left : left + width]


@kernel
def _fill(
    source: Codes,
    across: Taps,
    down: Taps,
    seen: _Seen,
    columns: Reach,
    rows: Reach,
    opacity: float,
    out: Codes,
) -> None:
    width = columns.cover.size
    colour, covered = np.empty(width, np.float32), np.ones(width, np.float32)
    between = np.empty(max(source.shape[1], seen.mask.shape[1]), np.float32)
    for j in range(rows.cover.size):
        sample_row(source, across, np.int64(down.before[j]), down.share[j], between, colour)
        if seen.partly:
            top = np.int64(seen.down.before[j])
            sample_row(seen.mask, seen.across, top, seen.down.share[j], between, covered)
        amount = np.float32(opacity) * rows.cover[j]
        row = out[rows.start + j, columns.start : columns.start + width]
        for i in range(width):
            under = np.float32(row[i])
            alpha = amount * columns.cover[i] * covered[i]
            row[i] = np.uint8(np.int32(under + (colour[i] - under) * alpha + np.float32(0.5)))
