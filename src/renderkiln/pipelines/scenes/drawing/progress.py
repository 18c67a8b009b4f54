"""A bar that fills up while time passes."""

from __future__ import annotations

from collections.abc import Hashable
from functools import cached_property

import skia

from renderkiln.media.frames.canvas import Frame
from renderkiln.media.frames.shape import draw_shape, outline
from renderkiln.pipelines.scenes.document.layers import ProgressLayer
from renderkiln.pipelines.scenes.drawing.pose import Movement, Presence
from renderkiln.pipelines.scenes.drawing.still import Raster, Still, whole
from renderkiln.pipelines.scenes.drawing.studio import Studio


class ProgressElement:
    """Draws the bar. `whole` is the frames that it tells the time of, `passed` those before its scene."""

    def __init__(self, layer: ProgressLayer, frames: int, passed: int, whole: int, studio: Studio) -> None:
        self._layer, self._studio = layer, studio
        self._passed, self._whole = passed, whole
        self._presence = Presence.of(layer, frames, studio.canvas.fps)

    def state(self, n: int) -> Hashable | None:
        pose = self._movement.at(n)
        return pose and (pose, self._passed + n)

    def draw(self, frame: Frame, n: int) -> None:
        if (pose := self._movement.at(n)) is not None:
            self._still(n).draw(frame, pose)

    def close(self) -> None:
        """Holds nothing."""

    @cached_property
    def _movement(self) -> Movement:
        return Movement(self._layer, self._presence, self._studio.ruler, self._still(0).bounds)

    def _still(self, n: int) -> Still:
        raster = self._raster(min(1.0, (self._passed + n + 1) / self._whole))
        return Still.of(raster.turned(self._layer.rotation), self._layer, self._studio)

    def _raster(self, share: float) -> Raster:
        """The track, and over `share` of it the bar, whose end is as round as the track's."""
        layer, studio, ruler = self._layer, self._studio, self._studio.ruler
        width, height = whole(ruler.across(layer.width)), whole(ruler.down(layer.height))
        radius = layer.radius * ruler.unit
        pixels, _, _ = draw_shape("rectangle", width, height, fill=studio.color(layer.track), radius=radius)
        rows, columns = pixels.shape[:2]
        info = skia.ImageInfo.Make(columns, rows, skia.kRGBA_8888_ColorType, skia.kPremul_AlphaType)
        canvas = skia.Canvas.MakeRasterDirect(info, pixels, 4 * columns)
        edge = outline("rectangle", width, height, radius)
        canvas.clipRRect(edge, doAntiAlias=True)
        canvas.translate(width * (share - 1), 0)
        canvas.drawRRect(edge, skia.Paint(AntiAlias=True, Color=skia.Color(*studio.color(layer.color))))
        return Raster(pixels, 0, 0, width, height, [studio.color(layer.color), studio.color(layer.track)])
