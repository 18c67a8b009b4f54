"""A still picture with transparency, laid over frames wherever it is just now."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from renderkiln.media.frames import dither
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
from renderkiln.media.frames.picture import OFFSET, RGB_TO_YCBCR, SCALE, halve

Plane = npt.NDArray[np.float32]
Codes = npt.NDArray[np.uint8]

RIM = 1  # clear samples around every plane, so that its edges fade out between two samples
SMALLEST = 0.01  # pixels: what is smaller is not seen

_MASK = dither.MASK


@dataclass(frozen=True, eq=False)
class Sprite:
    """A picture of `width` × `height` luma pixels.

    `ink` (Y, Cb, Cr) and `cover` belong together: a code value c becomes c · (1 - cover) + ink. All planes
    are float32 with RIM clear samples around them; those of chroma have half the resolution. `pixels` are
    what it was made of, for its smaller sizes.
    """

    width: int
    height: int
    ink: tuple[Plane, Plane, Plane]
    cover: Plane
    chroma_cover: Plane
    pixels: Codes

    @classmethod
    def from_rgba(cls, pixels: Codes) -> Sprite:
        """From premultiplied sRGB of shape (h, w, 4), uint8. Raises ValueError for any other array."""
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 4 or not pixels.size:
            raise ValueError(f"a sprite of {pixels.dtype} {pixels.shape}: expected uint8 of shape (h, w, 4)")
        height, width = pixels.shape[:2]
        # The last column of chroma lies on the first luma sample beyond, and is tinted by the one before.
        padded = np.pad(pixels, ((0, height & 1), (0, 2 - (width & 1)), (0, 0)))
        premultiplied = padded.astype(np.float32) / np.float32(255)
        alpha = premultiplied[..., 3]
        codes = premultiplied[..., :3] @ (RGB_TO_YCBCR.T * SCALE).astype(np.float32)
        codes += alpha[..., None] * OFFSET.astype(np.float32)
        ink = (_rimmed(codes[..., 0]), _rimmed(halve(codes[..., 1])), _rimmed(halve(codes[..., 2])))
        return cls(width, height, ink, _rimmed(alpha), _rimmed(halve(alpha)), pixels)

    @cached_property
    def half(self) -> Sprite:
        """The same at half the size, each pixel the mean of four."""
        padded = np.pad(self.pixels, ((0, self.height & 1), (0, self.width & 1), (0, 0))).astype(np.uint16)
        across = padded[:, 0::2] + padded[:, 1::2]
        return Sprite.from_rgba(((across[0::2] + across[1::2] + 2) // 4).astype(np.uint8))

    def draw(
        self,
        frame: Frame,
        x: float,
        y: float,
        *,
        scale: float = 1.0,
        opacity: float = 1.0,
        clip: Rect | None = None,
    ) -> None:
        """Lay it over the frame, its top left corner at (x, y) luma pixels; `scale` is about that corner.

        Any place will do, between pixels and outside of the frame too. Of all that only `clip` is seen, a
        rectangle of the frame. What is clear leaves the frame as it is to the bit, and so do an opacity or
        scale of 0 or less; an opacity above 1 is 1. Rounding is dithered. Raises ValueError for a number
        that is not finite.
        """
        if not all(map(math.isfinite, (x, y, scale, opacity))) or (clip and any(map(math.isnan, clip))):
            raise ValueError(f"a sprite at ({x}, {y}), scale {scale}, opacity {opacity}, clip {clip}")
        if opacity <= 0 or scale * max(self.width, self.height) < SMALLEST:
            return
        place = _Place(x, y, scale, min(opacity, 1.0), clip)
        self._draw_plane(0, place, LUMA, LUMA, frame.y)
        self._draw_plane(1, place, CHROMA_ACROSS, CHROMA_DOWN, frame.u)
        self._draw_plane(2, place, CHROMA_ACROSS, CHROMA_DOWN, frame.v)

    def _draw_plane(self, number: int, place: _Place, across: Siting, down: Siting, out: Codes) -> None:
        column, row = place.x / across.step, place.y / down.step
        if place.scale == 1 and place.clip is None and column.is_integer() and row.is_integer():
            self._stamp_plane(number, column, row, place.opacity, out)
            return
        columns = place.columns(across, self.width, out.shape[1])
        rows = place.rows(down, self.height, out.shape[0])
        if not columns.cover.size or not rows.cover.size:
            return
        sprite, scale, share = self._level(place.scale)
        fine = sprite._resampled(number, columns, rows, (across, down), place, scale)
        coarse = (
            sprite.half._resampled(number, columns, rows, (across, down), place, 2 * scale) if share else fine
        )
        _lay(fine, coarse, share, columns, rows, place.opacity, dither.blue_noise(), out)

    def _stamp_plane(self, number: int, column: float, row: float, opacity: float, out: Codes) -> None:
        ink, cover = self._planes(number)
        left, top = max(-column, 0.0), max(-row, 0.0)
        width = min(ink.shape[1] - 2 * RIM, out.shape[1] - column) - left
        height = min(ink.shape[0] - 2 * RIM, out.shape[0] - row) - top
        if width <= 0 or height <= 0:
            return
        source = (int(top) + RIM, int(left) + RIM)
        target = (int(row + top), int(column + left))
        _stamp(ink, cover, source, target, (int(height), int(width)), opacity, dither.blue_noise(), out)

    def _planes(self, number: int) -> tuple[Plane, Plane]:
        return self.ink[number], self.chroma_cover if number else self.cover

    def _level(self, scale: float) -> tuple[Sprite, float, float]:
        """The size to draw it from, the scale it then has, and the share of the next smaller size in it.

        Without the smaller sizes a reduction would leave pixels out. They come in gradually: a picture that
        grows must not turn sharp at once.
        """
        sprite = self
        while scale <= 0.5 and max(sprite.width, sprite.height) > 1:
            sprite, scale = sprite.half, 2 * scale
        return sprite, scale, min(max(3 - 4 * scale, 0.0), 1.0)

    def _resampled(
        self,
        number: int,
        columns: Reach,
        rows: Reach,
        siting: tuple[Siting, Siting],
        place: _Place,
        scale: float,
    ) -> _Level:
        ink, cover = self._planes(number)
        height, width = ink.shape
        return _Level(
            ink,
            cover,
            taps(siting[0], columns, width, place.x, 1 / scale, rim=RIM),
            taps(siting[1], rows, height, place.y, 1 / scale, rim=RIM),
        )


class _Place(NamedTuple):
    x: float
    y: float
    scale: float
    opacity: float
    clip: Rect | None

    def columns(self, siting: Siting, width: int, size: int) -> Reach:
        low, high = (self.clip.left, self.clip.right) if self.clip else (-math.inf, math.inf)
        return self._reach(siting, size, self.x, width, low, high)

    def rows(self, siting: Siting, height: int, size: int) -> Reach:
        low, high = (self.clip.top, self.clip.bottom) if self.clip else (-math.inf, math.inf)
        return self._reach(siting, size, self.y, height, low, high)

    def _reach(self, siting: Siting, size: int, start: float, length: int, low: float, high: float) -> Reach:
        # Two pixels further on each side the sprite is clear: it is cut there, but nobody sees it.
        far = 2 * self.scale + 2
        return reach(siting, size, max(low, start - far), min(high, start + length * self.scale + far))


class _Level(NamedTuple):
    ink: Plane
    cover: Plane
    across: Taps
    down: Taps


def _rimmed(plane: Plane) -> Plane:
    return np.pad(plane, RIM)


@kernel
def _stamp(
    ink: Plane,
    cover: Plane,
    source: tuple[int, int],
    target: tuple[int, int],
    shape: tuple[int, int],
    opacity: float,
    noise: Plane,
    out: Codes,
) -> None:
    """Sample upon sample: no interpolation. `source` and `target` are the first row and column."""
    height, width = shape
    amount = np.float32(opacity)
    for j in range(height):
        colour = ink[source[0] + j, source[1] : source[1] + width]
        covered = cover[source[0] + j, source[1] : source[1] + width]
        row = out[target[0] + j, target[1] : target[1] + width]
        threshold = noise[(target[0] + j) & _MASK]
        for n in range(width):
            i = np.uint32(n)
            under = np.float32(row[i])
            blended = under + (colour[i] - under * covered[i]) * amount
            dither_at = (np.uint32(target[1]) + i) & np.uint32(_MASK)
            row[i] = np.uint8(np.int32(blended + threshold[dither_at]))


@kernel
def _lay(
    fine: _Level,
    coarse: _Level,
    share: float,
    columns: Reach,
    rows: Reach,
    opacity: float,
    noise: Plane,
    out: Codes,
) -> None:
    """The same between samples; `share` of it is taken from `coarse`."""
    width = columns.cover.size
    colour, covered = np.empty(width, np.float32), np.empty(width, np.float32)
    between = np.empty(fine.ink.shape[1], np.float32)
    for j in range(rows.cover.size):
        _sample(fine, j, between, colour, covered)
        if share > 0:
            _mix_in(coarse, j, np.float32(share), colour, covered)
        amount = np.float32(opacity) * rows.cover[j]
        row = out[rows.start + j, columns.start : columns.start + width]
        threshold = noise[(rows.start + j) & _MASK]
        for n in range(width):
            i = np.uint32(n)
            under = np.float32(row[i])
            blended = under + (colour[i] - under * covered[i]) * (amount * columns.cover[i])
            dither_at = (np.uint32(columns.start) + i) & np.uint32(_MASK)
            row[i] = np.uint8(np.int32(blended + threshold[dither_at]))


@kernel
def _sample(level: _Level, j: int, between: Plane, colour: Plane, covered: Plane) -> None:
    top, share = np.int64(level.down.before[j]), level.down.share[j]
    sample_row(level.ink, level.across, top, share, between, colour)
    sample_row(level.cover, level.across, top, share, between, covered)


@kernel
def _mix_in(level: _Level, j: int, share: np.float32, colour: Plane, covered: Plane) -> None:
    other, covers = np.empty_like(colour), np.empty_like(covered)
    _sample(level, j, np.empty(level.ink.shape[1], np.float32), other, covers)
    for i in range(colour.size):
        colour[i] += (other[i] - colour[i]) * share
        covered[i] += (covers[i] - covered[i]) * share
