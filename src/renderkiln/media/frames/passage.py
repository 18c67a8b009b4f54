"""Passages: how one scene becomes the next, both seen meanwhile.

Nothing is dithered: the mean of two 8-bit pictures has at least the grain of the finer one.
"""

from __future__ import annotations

import math
from typing import Literal, assert_never, get_args

import numpy as np
import numpy.typing as npt

from renderkiln.media.frames.axis import CHROMA_ACROSS, CHROMA_DOWN, LUMA, Rect, Siting
from renderkiln.media.frames.canvas import Frame
from renderkiln.media.frames.kernel import inlined, kernel
from renderkiln.media.frames.window import draw_window

Passage = Literal["crossfade", "wipe", "slide", "zoom", "dip"]
Direction = Literal["left", "right", "top", "bottom"]

Codes = npt.NDArray[np.uint8]
Weights = npt.NDArray[np.uint16]

SOFT = 0.04  # of the side that a wipe crosses: how wide its edge is
GROWN = 1.3  # the size to which a zoom takes the scene that goes
FAR = 1.12  # and the size with which the next one comes: never smaller than the frame, whose rim would show
BLACK = (16, 128, 128)  # Y, Cb, Cr
WHOLE = 256  # of a weight


def draw_passage(
    kind: Passage,
    before: Frame,
    after: Frame,
    progress: float,
    frame: Frame,
    *,
    direction: Direction = "left",
    color: tuple[int, int, int] = BLACK,
) -> None:
    """Draw a moment between two scenes into `frame`, which must be neither of the two.

    At a progress of 0 or less it is exactly `before`, at 1 or more exactly `after`. `direction` is where a
    wipe or slide moves to, `color` (Y, Cb, Cr) what a dip is at its middle. Progress is taken as it is: ease
    it first. Raises ValueError for an unknown kind or direction, and for a progress that is NaN.
    """
    known = kind in get_args(Passage) and direction in get_args(Direction)
    if not known or math.isnan(progress):
        raise ValueError(f"no passage {kind!r} to the {direction!r} at {progress}")
    if progress <= 0 or progress >= 1:
        np.copyto(frame.buffer, before.buffer if progress <= 0 else after.buffer)
        return
    match kind:
        case "crossfade":
            _crossfade(before, after, progress, frame)
        case "wipe":
            _wipe(before, after, progress, direction, frame)
        case "slide":
            _slide(before, after, progress, direction, frame)
        case "zoom":
            _zoom(before, after, progress, frame)
        case "dip":
            _dip(before, after, progress, color, frame)
        case _:
            assert_never(kind)


def _crossfade(before: Frame, after: Frame, progress: float, frame: Frame) -> None:
    for old, new, out in _planes(before, after, frame):
        height, width = out.shape
        _mix(old, new, _weights(np.full(width, progress)), _weights(np.ones(height)), out)


def _dip(before: Frame, after: Frame, progress: float, color: tuple[int, int, int], frame: Frame) -> None:
    seen = before if progress < 0.5 else after
    weight = np.uint16(round(WHOLE * (1 - abs(2 * progress - 1))))
    for (source, _, out), code in zip(_planes(seen, seen, frame), color, strict=True):
        _tint(source, np.uint16(code), weight, out)


def _wipe(before: Frame, after: Frame, progress: float, direction: Direction, frame: Frame) -> None:
    for (old, new, out), siting in zip(_planes(before, after, frame), _SITINGS, strict=True):
        sideways = direction in ("left", "right")
        edge = _edge(siting[0 if sideways else 1], out.shape[1 if sideways else 0], progress, direction)
        full = _weights(np.ones(out.shape[0 if sideways else 1]))
        _mix(old, new, *((edge, full) if sideways else (full, edge)), out)


def _edge(siting: Siting, size: int, progress: float, direction: Direction) -> Weights:
    """How much of the next scene each sample of an axis shows; the edge comes from outside and leaves."""
    side = size * siting.step
    way = siting.at(np.arange(size))
    if direction in ("left", "top"):
        way = side - way
    soft = SOFT * side
    inside = np.clip((progress * (side + soft) - way) / soft, 0, 1)
    return _weights(inside * inside * (3 - 2 * inside))


def _slide(before: Frame, after: Frame, progress: float, direction: Direction, frame: Frame) -> None:
    """The two lie side by side, and the frame moves over them."""
    push = _push_across if direction in ("left", "right") else _push_down
    axis = 1 if direction in ("left", "right") else 0
    for old, new, out in _planes(before, after, frame):
        first, second = (old, new) if direction in ("left", "top") else (new, old)
        offset = out.shape[axis] * (progress if direction in ("left", "top") else 1 - progress)
        whole = min(int(offset), out.shape[axis] - 1)
        push(first, second, whole, np.uint16(round(WHOLE * (offset - whole))), out)


def _zoom(before: Frame, after: Frame, progress: float, frame: Frame) -> None:
    height, width = frame.y.shape
    place = Rect(0, 0, width, height)
    draw_window(before, frame, view=_middle(place, 1 + (GROWN - 1) * progress), place=place)
    seen = min(max((progress - 0.15) / 0.7, 0), 1)
    far = FAR + (1 - FAR) * progress
    draw_window(after, frame, view=_middle(place, far), place=place, opacity=seen * seen * (3 - 2 * seen))


def _middle(whole: Rect, size: float) -> Rect:
    """The part in the middle that fills the whole when it is enlarged to `size`."""
    x, y = whole.right / 2, whole.bottom / 2
    return Rect(x - x / size, y - y / size, x + x / size, y + y / size)


_SITINGS = ((LUMA, LUMA), (CHROMA_ACROSS, CHROMA_DOWN), (CHROMA_ACROSS, CHROMA_DOWN))


def _planes(before: Frame, after: Frame, frame: Frame) -> tuple[tuple[Codes, Codes, Codes], ...]:
    return (before.y, after.y, frame.y), (before.u, after.u, frame.u), (before.v, after.v, frame.v)


def _weights(shares: npt.NDArray[np.float64]) -> Weights:
    return np.rint(shares * WHOLE).astype(np.uint16)


@inlined
def _between(here: np.uint16, there: np.uint16, weight: np.uint16) -> np.uint8:
    """Weighted mean of two code values, rounded to nearest; all of it fits 16 bits, so it is fast."""
    rest = np.uint16(np.uint16(WHOLE) - weight)
    total = np.uint16(np.uint16(here) * rest) + np.uint16(np.uint16(there) * weight)
    return np.uint8(np.uint16(np.uint16(total) + np.uint16(WHOLE // 2)) >> np.uint16(8))


@kernel
def _mix(before: Codes, after: Codes, across: Weights, down: Weights, out: Codes) -> None:
    """The smaller of a column's and a row's weight is the share of `after`."""
    for j in range(out.shape[0]):
        old, new, row, most = before[j], after[j], out[j], down[j]
        for i in range(row.size):
            weight = min(across[i], most)
            row[i] = _between(old[i], new[i], weight)


@kernel
def _tint(source: Codes, code: np.uint16, weight: np.uint16, out: Codes) -> None:
    for j in range(out.shape[0]):
        under, row = source[j], out[j]
        for i in range(row.size):
            row[i] = _between(under[i], code, weight)


@kernel
def _push_across(first: Codes, second: Codes, whole: int, share: np.uint16, out: Codes) -> None:
    seam = out.shape[1] - whole
    for j in range(out.shape[0]):
        one, other, row = first[j], second[j], out[j]
        _slip(one[whole:], share, row[:seam])
        row[seam - 1] = _between(one[one.size - 1], other[0], share)
        _slip(other[: whole + 1], share, row[seam:])


@kernel
def _slip(source: Codes, share: np.uint16, out: Codes) -> None:
    """Move a row by a share of a sample; the last sample has no neighbour and is left alone."""
    here, there = source[:-1], source[1:]
    for i in range(here.size):
        out[i] = _between(here[i], there[i], share)


@kernel
def _push_down(first: Codes, second: Codes, whole: int, share: np.uint16, out: Codes) -> None:
    height = out.shape[0]
    for j in range(height):
        at = j + whole
        here = first[at] if at < height else second[at - height]
        there = first[at + 1] if at + 1 < height else second[at + 1 - height]
        row = out[j]
        for i in range(row.size):
            row[i] = _between(here[i], there[i], share)
