"""A layer whose picture does not change: it only moves, fades, grows or is revealed."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import skia

from renderkiln.media.frames.axis import Rect
from renderkiln.media.frames.canvas import Frame
from renderkiln.media.frames.sprite import Sprite
from renderkiln.pipelines.scenes.document.layers import Layer
from renderkiln.pipelines.scenes.drawing.pose import Movement, Pose, Presence
from renderkiln.pipelines.scenes.drawing.studio import Studio

Pixels = npt.NDArray[np.uint8]

_SIDES = {"left": 0.0, "top": 0.0, "right": 1.0, "bottom": 1.0}


@dataclass(frozen=True)
class Raster:
    """Premultiplied RGBA. (`left`, `top`) is where its first pixel lies from the layer's top left corner.

    The layer itself is `width` × `height` pixels; shadows and outlines reach beyond.
    """

    pixels: Pixels
    left: float
    top: float
    width: float
    height: float

    def turned(self, degrees: float) -> Raster:
        """Rotated clockwise about the middle of the layer, which keeps its size on the frame's axes."""
        if degrees % 360 == 0:
            return self
        height, width = self.pixels.shape[:2]
        x, y = self.width / 2 - self.left, self.height / 2 - self.top  # the middle, in pixels of the raster
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
        source = skia.Image.fromarray(
            np.ascontiguousarray(self.pixels), skia.kRGBA_8888_ColorType, skia.kPremul_AlphaType
        )
        canvas.drawImage(source, 0, 0, skia.SamplingOptions(skia.CubicResampler.Mitchell()))
        return Raster(pixels, self.left + bounds.left(), self.top + bounds.top(), self.width, self.height)


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
        x, y = placed(layer, raster.width, raster.height, studio)
        # On even pixels: what stands still is as sharp as it was drawn, in colour too.
        left, top = (2 * round(each / 2) for each in (x + raster.left, y + raster.top))
        middle = left - raster.left + raster.width / 2, top - raster.top + raster.height / 2
        return cls(Sprite.from_rgba(raster.pixels), left, top, middle)

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
        """About how much memory it takes: four planes of float32, two of them at half resolution."""
        return self.sprite.width * self.sprite.height * 11


class StillElement:
    """Draws a layer that has one picture."""

    def __init__(self, layer: Layer, frames: int, studio: Studio, rasterise: Callable[[], Raster]) -> None:
        self._layer, self._studio, self._rasterise = layer, studio, rasterise
        self._presence = Presence.of(layer, frames, studio.canvas.fps)

    @cached_property
    def _still(self) -> Still:
        def make() -> Still:
            raster = self._rasterise().turned(self._layer.rotation)
            return Still.of(raster, self._layer, self._studio)

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


def anchored(anchor: str) -> tuple[float, float]:
    """`top-right` as shares of width and height: (1, 0); what is not named is in the middle."""
    words = anchor.split("-")
    across = next((_SIDES[word] for word in words if word in ("left", "right")), 0.5)
    down = next((_SIDES[word] for word in words if word in ("top", "bottom")), 0.5)
    return across, down


def room(layer: Layer, studio: Studio) -> tuple[float, float]:
    """Width and height that are left to a layer between its place and the edges of its area."""
    ruler, area = studio.ruler, studio.ruler.area(full_bleed=layer.full_bleed)
    across, down = anchored(layer.anchor)
    x, y = ruler.across(layer.x), ruler.down(layer.y)
    return max(1.0, _left(area.width, x, across)), max(1.0, _left(area.height, y, down))


def _left(whole: float, moved: float, anchor: float) -> float:
    if anchor == 0.5:
        return whole - 2 * math.fabs(moved)
    return whole - max(0.0, moved if anchor == 0 else -moved)
