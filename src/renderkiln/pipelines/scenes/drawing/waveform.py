"""Bars that move with a sound."""

from __future__ import annotations

from collections.abc import Hashable
from functools import cached_property
from typing import TYPE_CHECKING

from renderkiln.media.frames.axis import Rect
from renderkiln.media.frames.canvas import Frame
from renderkiln.media.frames.shape import draw_shape
from renderkiln.pipelines.scenes.document.layers import WaveformLayer
from renderkiln.pipelines.scenes.drawing.pose import Movement, Presence
from renderkiln.pipelines.scenes.drawing.still import Raster, Still, placed
from renderkiln.pipelines.scenes.drawing.studio import Studio

if TYPE_CHECKING:
    from renderkiln.media.audio.bars import Bars

_GAP = 0.4  # between two bars, as a share of the room that one has
_LEAST = 0.03  # of the height: a bar of silence is a dot


class WaveformElement:
    """Draws the bars. `passed` is the frames of the film before its scene."""

    def __init__(self, layer: WaveformLayer, frames: int, passed: int, bars: Bars, studio: Studio) -> None:
        self._layer, self._studio = layer, studio
        self._bars, self._passed = bars, passed
        self._presence = Presence.of(layer, frames, studio.canvas.fps)
        ruler = studio.ruler
        self._width, self._height = ruler.across(layer.width), ruler.down(layer.height)

    def state(self, n: int) -> Hashable | None:
        return n if self._movement.at(n) is not None else None

    def draw(self, frame: Frame, n: int) -> None:
        pose = self._movement.at(n)
        if pose is None:
            return
        time = float((self._passed + n) / self._studio.canvas.fps)
        x, y = placed(self._layer, self._width, self._height, self._studio)
        step, middle = self._width / self._layer.bars, y + self._height / 2 + pose.y
        for number, level in enumerate(self._bars.levels(time, self._layer.bars)):
            half = self._height / 2 * max(_LEAST, float(level))
            left = x + number * step + pose.x
            clip = Rect(left, middle - half, left + step, middle + half)
            sprite = self._bar.sprite
            sprite.draw(frame, left, y + pose.y, opacity=pose.opacity, clip=clip)

    def close(self) -> None:
        """Holds nothing."""

    @cached_property
    def _movement(self) -> Movement:
        x, y = placed(self._layer, self._width, self._height, self._studio)
        bounds = Rect(x, y, x + self._width, y + self._height)
        return Movement(self._layer, self._presence, self._studio.ruler, bounds)

    @cached_property
    def _bar(self) -> Still:
        width = max(1.0, self._width / self._layer.bars * (1 - _GAP))
        color = self._studio.color(self._layer.color)
        pixels, left, top = draw_shape("rectangle", width, self._height, fill=color, radius=width / 2)
        return Still.of(Raster(pixels, left, top, width, self._height), self._layer, self._studio)
