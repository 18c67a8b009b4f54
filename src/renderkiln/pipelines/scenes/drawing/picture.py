"""Image layers: a picture in a frame of its own, still or drifting."""

from __future__ import annotations

import math
from collections.abc import Hashable
from functools import cached_property

import numpy as np

from renderkiln.media.frames.axis import Rect
from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.media.frames.image import Pixels
from renderkiln.media.frames.photo import fitted, framed, to_frame
from renderkiln.media.frames.shape import draw_shape
from renderkiln.media.frames.window import Mask, draw_window
from renderkiln.pipelines.scenes.document.layers import ImageLayer
from renderkiln.pipelines.scenes.document.motion import KenBurns
from renderkiln.pipelines.scenes.drawing.drift import enlarged, view_at
from renderkiln.pipelines.scenes.drawing.edges import shadow_of, stroke_of
from renderkiln.pipelines.scenes.drawing.pose import Movement, Pose, Presence
from renderkiln.pipelines.scenes.drawing.still import Raster, Still, StillElement, placed, room, whole
from renderkiln.pipelines.scenes.drawing.studio import Studio

CLEAR = (0, 0, 0, 0)


class ImageElement(StillElement):
    """Draws a picture that stands still within its frame."""

    def __init__(self, layer: ImageLayer, frames: int, studio: Studio) -> None:
        super().__init__(layer, frames, studio, self._whole)
        self._image = layer

    def _whole(self) -> Raster:
        unit, layer = self._studio.ruler.unit, self._image
        picture = self._studio.image(layer.file)
        picture = fitted(picture, *size_of(layer, picture, self._studio))
        pixels, left, top = framed(
            picture,
            radius=layer.radius * unit,
            stroke=stroke_of(layer.stroke, self._studio),
            shadow=shadow_of(layer.shadow, self._studio),
            rotation=layer.rotation,
        )
        return Raster(pixels, left, top, picture.shape[1], picture.shape[0])


class DriftingImageElement:
    """Draws a picture that drifts within its frame. Neither is turned."""

    def __init__(self, layer: ImageLayer, drift: KenBurns, frames: int, studio: Studio) -> None:
        self._layer, self._drift, self._studio = layer, drift, studio
        self._presence = Presence.of(layer, frames, studio.canvas.fps)

    def state(self, n: int) -> Hashable | None:
        if not self._presence.first <= n < self._presence.last:  # before the picture is read for it
            return None
        pose = self._movement.at(n)
        return pose and (pose, self._view(n))

    def draw(self, frame: Frame, n: int) -> None:
        pose = self._movement.at(n)
        if pose is None:
            return
        draw_posed(self._source, frame, self._view(n), self._place, pose, self._mask)
        if self._edges is not None:
            self._edges.draw(frame, pose)

    def close(self) -> None:
        """Holds nothing."""

    def _view(self, n: int) -> Rect:
        height, width = self._source.y.shape
        first, last = self._presence
        return view_at(self._drift, (n - first) / max(1, last - first - 1), width, height)

    @property
    def _source(self) -> Frame:
        return self._fitted[0]

    @property
    def _place(self) -> Rect:
        return self._fitted[1]

    @cached_property
    def _fitted(self) -> tuple[Frame, Rect]:
        """The picture as large as its closest view needs, and where it is seen. Its file may be huge."""
        picture = self._studio.image(self._layer.file)
        width, height = size_of(self._layer, picture, self._studio)
        left, top = map(round, placed(self._layer, width, height, self._studio))
        zoom = enlarged(self._drift)
        across, down = (max(2, 2 * round(side * zoom / 2)) for side in (width, height))
        source = to_frame(picture, Canvas(across, down, self._studio.canvas.fps))
        return source, Rect(left, top, left + width, top + height)

    @cached_property
    def _movement(self) -> Movement:
        bounds = self._place if self._edges is None else _around(self._place, self._edges.bounds)
        return Movement(self._layer, self._presence, self._studio.ruler, bounds)

    @cached_property
    def _mask(self) -> Mask | None:
        return rounded(self._place, self._radius)

    @cached_property
    def _edges(self) -> Still | None:
        """What is around the picture: a line, and a shadow with a hole where the picture is."""
        layer, (left, top, right, bottom) = self._layer, self._place
        if layer.stroke is None and layer.shadow is None:
            return None
        width, height = right - left, bottom - top
        pixels, column, row = draw_shape(
            "rectangle",
            width,
            height,
            fill=CLEAR,
            radius=self._radius,
            stroke=stroke_of(layer.stroke, self._studio),
            shadow=shadow_of(layer.shadow, self._studio),
        )
        return Still.at(Raster(pixels, column, row, width, height), left, top)

    @property
    def _radius(self) -> float:
        return self._layer.radius * self._studio.ruler.unit


def draw_posed(source: Frame, frame: Frame, view: Rect, place: Rect, pose: Pose, mask: Mask | None) -> None:
    """Draw the part `view` of a picture into `place`, moved and scaled by `pose`."""
    left, top, right, bottom = place
    across, down = (left + right) / 2 + pose.x, (top + bottom) / 2 + pose.y
    width, height = (right - left) * pose.scale, (bottom - top) * pose.scale
    moved = Rect(across - width / 2, down - height / 2, across + width / 2, down + height / 2)
    if pose.opacity > 0 and pose.scale > 0:
        draw_window(source, frame, view=view, place=moved, mask=mask, opacity=pose.opacity, clip=pose.clip)


def rounded(place: Rect, radius: float) -> Mask | None:
    """The coverage of a rectangle with round corners; None where they are square."""
    if radius <= 0:
        return None
    width, height = round(place.right - place.left), round(place.bottom - place.top)
    pixels, _, _ = draw_shape("rectangle", width, height, radius=radius)
    return Mask.from_alpha(np.ascontiguousarray(pixels[:height, :width, 3]))


def size_of(layer: ImageLayer, picture: Pixels, studio: Studio) -> tuple[int, int]:
    """Width and height of the layer in pixels of the frame; what is not given is in proportion.

    A picture without any size is shown as it is at 1080 lines, or smaller where it would not fit.
    """
    ruler, (height, width) = studio.ruler, picture.shape[:2]
    across = None if layer.width is None else whole(ruler.across(layer.width))
    down = None if layer.height is None else whole(ruler.down(layer.height))
    if across is not None and down is not None and layer.fit == "cover":
        return int(across), int(down)
    largest = ruler.unit if across is None and down is None else math.inf
    if across is None and down is None:
        across, down = room(layer, studio)
    scale = min(largest, (across or math.inf) / width, (down or math.inf) / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _around(one: Rect, other: Rect) -> Rect:
    """The smallest rectangle that holds both."""
    (left, top), (right, bottom) = map(min, one[:2], other[:2]), map(max, one[2:], other[2:])
    return Rect(left, top, right, bottom)
