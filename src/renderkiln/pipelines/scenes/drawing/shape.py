"""Rectangles, ellipses and lines."""

from __future__ import annotations

from renderkiln.media.frames.colorcode import Color
from renderkiln.media.frames.gradient import Gradient
from renderkiln.media.frames.shape import draw_shape
from renderkiln.pipelines.scenes.document.layers import ShapeLayer
from renderkiln.pipelines.scenes.drawing.background import gradient_of
from renderkiln.pipelines.scenes.drawing.edges import shadow_of, stroke_of
from renderkiln.pipelines.scenes.drawing.still import Raster, StillElement, whole
from renderkiln.pipelines.scenes.drawing.studio import Studio


class ShapeElement(StillElement):
    """Draws a shape."""

    def __init__(self, layer: ShapeLayer, frames: int, studio: Studio) -> None:
        super().__init__(layer, frames, studio, self._whole)
        self._shape = layer

    def _whole(self) -> Raster:
        studio, layer, unit = self._studio, self._shape, self._studio.ruler.unit
        width, height = studio.ruler.across(layer.width), studio.ruler.down(layer.height)
        if layer.shape != "line":
            width, height = whole(width), whole(height)
        pixels, left, top = draw_shape(
            layer.shape,
            width,
            height,
            fill=self._fill,
            radius=layer.radius * unit,
            stroke=stroke_of(layer.stroke, studio),
            shadow=shadow_of(layer.shadow, studio),
            rotation=layer.rotation,
        )
        flat = [studio.color(each) for each in (layer.color, layer.stroke and layer.stroke.color) if each]
        return Raster(pixels, left, top, abs(width), abs(height), flat)

    @property
    def _fill(self) -> Color | Gradient | None:
        if self._shape.gradient is not None:
            return gradient_of(self._shape.gradient, self._studio)
        return None if self._shape.color is None else self._studio.color(self._shape.color)
