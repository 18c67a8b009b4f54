"""A layer whose picture does not change: it only moves, fades, grows or is revealed."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import skia

from renderkiln.media.frames.axis import Rect
from renderkiln.media.frames.canvas import Frame
from renderkiln.media.frames.colorcode import Color, code_values, nearest_codes
from renderkiln.media.frames.sprite import Sprite
from renderkiln.pipelines.scenes.document.layers import Layer
from renderkiln.pipelines.scenes.drawing.pose import Movement, Pose, Presence
from renderkiln.pipelines.scenes.drawing.studio import Studio

Pixels = npt.NDArray[np.uint8]

_SAME = 0.002  # code values: what float32 rounds to
_SIDES = {"left": 0.0, "top": 0.0, "right": 1.0, "bottom": 1.0}


@dataclass(frozen=True)
class Raster:
    """Premultiplied RGBA. (`left`, `top`) is where its first pixel lies from the layer's top left corner.

    The layer itself is `width` × `height` pixels; shadows and outlines reach beyond. `flat` are colours of
    which it has whole areas.
    """

    pixels: Pixels
    left: float
    top: float
    width: float
    height: float
    flat: Sequence[Color] = ()

    def turned(self, degrees: float) -> Raster:
        """Rotated clockwise about the middle of the layer, which keeps its size on the frame's axes."""
        if degrees % 360 == 0:
            return self
        source = np.pad(self.pixels, ((1, 1), (1, 1), (0, 0)))  # or else edges become stairs
        height, width = source.shape[:2]
        # The middle, in pixels of the source.
        x, y = self.width / 2 - self.left + 1, self.height / 2 - self.top + 1
        turn = skia.Matrix.RotateDeg(degrees, (x, y))
        bounds = turn.mapRect(skia.Rect.MakeWH(width, height)).makeOutset(1, 1).roundOut()
        pixels = np.zeros((bounds.height(), bounds.width(), 4), np.uint8)
        info = skia.ImageInfo.Make(
            bounds.width(), bounds.height(), skia.kRGBA_8888_ColorType, skia.kPremul_AlphaType
        )
        surface = skia.Surface.MakeRasterDirect(info, pixels, bounds.width() * 4)
        canvas = surface.getCanvas()
        canvas.translate(-bounds.left(), -bounds.top())
        canvas.concat(turn)
        image = skia.Image.fromarray(source, skia.kRGBA_8888_ColorType, skia.kPremul_AlphaType)
        canvas.drawImage(image, 0, 0, skia.SamplingOptions(skia.CubicResampler.CatmullRom()))
        left, top = self.left - 1 + bounds.left(), self.top - 1 + bounds.top()
        return Raster(pixels, left, top, self.width, self.height, self.flat)


@dataclass(frozen=True)
class Still:
    """A sprite and where its layer is at rest: (`x`, `y`) is the sprite's top left corner in the frame."""

    sprite: Sprite
    x: float
    y: float
    middle: tuple[float, float]

    @classmethod
    def of(cls, raster: Raster, layer: Layer, studio: Studio) -> Still:
        """A raster in the place that its layer asks for."""
        return cls.at(raster, *placed(layer, raster.width, raster.height, studio))

    @classmethod
    def at(cls, raster: Raster, x: float, y: float) -> Still:
        """A raster whose layer has its top left corner at (x, y), or as near as pixels are.

        How far a raster reaches does not move it: a text stays where it is while it is being written.
        """
        left, top = _pixel(x, raster.left), _pixel(y, raster.top)
        middle = left - raster.left + raster.width / 2, top - raster.top + raster.height / 2
        # The sprite begins on even pixels: what stands still is as sharp as it was drawn, in colour too.
        pixels = np.pad(raster.pixels, ((top & 1, 0), (left & 1, 0), (0, 0)))
        sprite = Sprite.from_rgba(pixels)
        for color in raster.flat:
            _settle(sprite, color)
        return cls(sprite, left - (left & 1), top - (top & 1), middle)

    @property
    def bounds(self) -> Rect:
        """All that is painted of it."""
        return Rect(self.x, self.y, self.x + self.sprite.width, self.y + self.sprite.height)

    def draw(self, frame: Frame, pose: Pose) -> None:
        """Lay it over the frame in this pose."""
        (across, down), scale = self.middle, pose.scale
        x = across + (self.x - across) * scale + pose.x
        y = down + (self.y - down) * scale + pose.y
        if pose.opacity > 0 and scale > 0:
            self.sprite.draw(frame, x, y, scale=scale, opacity=pose.opacity, clip=pose.clip)

    @property
    def bytes(self) -> int:
        """About how much memory it takes: planes of float32, its pixels, and smaller sizes of both."""
        return self.sprite.width * self.sprite.height * 20


class StillElement:
    """Draws a layer that has one picture, which `rasterise` makes, turned as the layer is."""

    def __init__(self, layer: Layer, frames: int, studio: Studio, rasterise: Callable[[], Raster]) -> None:
        self._layer, self._studio, self._rasterise = layer, studio, rasterise
        self._presence = Presence.of(layer, frames, studio.canvas.fps)

    @cached_property
    def _still(self) -> Still:
        def make() -> Still:
            return Still.of(self._rasterise(), self._layer, self._studio)

        # Times and motions do not change the raster; the same layer in another scene is the same picture.
        key = self._layer.model_copy(
            update={"start": 0, "end": None, "enter": None, "exit": None, "opacity": 1}
        )
        return self._studio.once(key.model_dump_json(), make, lambda still: still.bytes)

    @cached_property
    def _movement(self) -> Movement:
        return Movement(self._layer, self._presence, self._studio.ruler, self._still.bounds)

    def state(self, n: int) -> Hashable | None:
        if not self._presence.first <= n < self._presence.last:  # before anything is rasterised for it
            return None
        return self._movement.at(n)

    def draw(self, frame: Frame, n: int) -> None:
        if (pose := self._movement.at(n)) is not None:
            self._still.draw(frame, pose)

    def close(self) -> None:
        """Holds nothing."""


def placed(layer: Layer, width: float, height: float, studio: Studio) -> tuple[float, float]:
    """Where the top left corner of a layer of this size lies, in pixels of the frame."""
    ruler, area = studio.ruler, studio.ruler.area(full_bleed=layer.full_bleed)
    across, down = anchored(layer.anchor)
    x = area.left + across * (area.width - width) + ruler.across(layer.x)
    y = area.top + down * (area.height - height) + ruler.down(layer.y)
    return x, y


def whole(length: float) -> float:
    """A width or height in whole pixels, so that edges are sharp and lie where the frame ends.

    Raises ValueError where nothing would be seen.
    """
    if length <= 0:
        raise ValueError(f"a width or height of {length:g} pixels is none: make it more than 0")
    return max(1.0, round(length))


def anchored(anchor: str) -> tuple[float, float]:
    """`top-right` as shares of width and height: (1, 0); what is not named is in the middle."""
    words = anchor.split("-")
    across = next((_SIDES[word] for word in words if word in ("left", "right")), 0.5)
    down = next((_SIDES[word] for word in words if word in ("top", "bottom")), 0.5)
    return across, down


def room(layer: Layer, studio: Studio) -> tuple[float, float]:
    """Width and height that are left to a layer between its place and the edges of its area.

    Of one that is turned, along its own sides, if it is no taller than a quarter of that area.
    """
    ruler, area = studio.ruler, studio.ruler.area(full_bleed=layer.full_bleed)
    across, down = anchored(layer.anchor)
    x, y = ruler.across(layer.x), ruler.down(layer.y)
    width, height = max(1.0, _left(area.width, x, across)), max(1.0, _left(area.height, y, down))
    if layer.rotation % 180 == 0:
        return width, height
    turn = math.radians(layer.rotation)
    cosine, sine = max(abs(math.cos(turn)), 1e-6), abs(math.sin(turn))
    tall = min(width, height) / 4
    wide = min((width - sine * tall) / cosine, (height - cosine * tall) / sine)
    return wide, max(tall, min((height - sine * wide) / cosine, (width - cosine * wide) / sine))


def _settle(sprite: Sprite, color: Color) -> None:
    """Give areas of a colour the whole codes that are nearest to it; dither would be 4 beside it at times."""
    if color[3] == 255:
        for plane, exact, nearest in zip(sprite.ink, code_values(color), nearest_codes(color), strict=True):
            plane[np.abs(plane - np.float32(exact)) < _SAME] = nearest


def _pixel(corner: float, offset: float) -> int:
    """The pixel where a raster begins that lies `offset` beside the corner of its layer."""
    begins = math.floor(offset)
    return round(corner + offset - begins) + begins


def _left(side: float, moved: float, anchor: float) -> float:
    if anchor == 0.5:
        return side - 2 * math.fabs(moved)
    return side - max(0.0, moved if anchor == 0 else -moved)
