"""Bars that move with a sound."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from renderkiln.media.frames.axis import Rect
from renderkiln.media.frames.canvas import Frame
from renderkiln.media.frames.colorcode import Color
from renderkiln.media.frames.shape import draw_shape
from renderkiln.media.frames.sprite import Sprite
from renderkiln.pipelines.scenes.document.layers import WaveformLayer
from renderkiln.pipelines.scenes.drawing.pose import Movement, Presence
from renderkiln.pipelines.scenes.drawing.still import Pixels, Raster, Still, placed, whole
from renderkiln.pipelines.scenes.drawing.studio import Studio

if TYPE_CHECKING:
    from renderkiln.media.audio.bars import Bars

_GAP = 0.4  # between two bars, as a share of the room that one has


class WaveformElement:
    """Draws the bars. `passed` is the frames of the film before its scene."""

    def __init__(self, layer: WaveformLayer, frames: int, passed: int, bars: Bars, studio: Studio) -> None:
        self._layer, self._studio = layer, studio
        self._bars, self._passed = bars, passed
        self._presence = Presence.of(layer, frames, studio.canvas.fps)
        self._sprites: dict[tuple[int, int, int], Sprite] = {}

    def state(self, n: int) -> Hashable | None:
        return n if self._movement.at(n) is not None else None

    def draw(self, frame: Frame, n: int) -> None:
        pose = self._movement.at(n)
        if pose is None:
            return
        for still in self._stills(n) if self._layer.rotation % 360 == 0 else [self._turned(n)]:
            still.draw(frame, pose)

    def close(self) -> None:
        """Holds nothing."""

    @cached_property
    def _movement(self) -> Movement:
        left, top, width, height = self._place
        bounds = Rect(left, top, left + width, top + height)
        if self._layer.rotation % 360:
            bounds = self._turned(0).bounds
        return Movement(self._layer, self._presence, self._studio.ruler, bounds)

    @cached_property
    def _place(self) -> tuple[int, int, int, int]:
        """Left, top, width and height of all bars at their highest, in whole pixels."""
        ruler = self._studio.ruler
        width, height = whole(ruler.across(self._layer.width)), whole(ruler.down(self._layer.height))
        left, top = placed(self._layer, width, height, self._studio)
        return round(left), round(top), int(width), max(2, int(height))

    @cached_property
    def _thick(self) -> int:
        return int(whole(self._place[2] / self._layer.bars * (1 - _GAP)))

    def _heights(self, n: int) -> Iterator[tuple[int, int]]:
        """Of each bar its left edge from that of all, and how far it reaches up and down, in pixels.

        A bar of silence is a dot.
        """
        _, _, width, height = self._place
        step, thick = width / self._layer.bars, self._thick
        levels = self._bars.levels(float((self._passed + n) / self._studio.canvas.fps), self._layer.bars)
        for number, level in enumerate(levels):
            left = min(round((number + 0.5) * step - thick / 2), width - thick)
            yield left, max(1, min(round(max(thick, float(level) * height) / 2), height // 2))

    def _stills(self, n: int) -> Iterator[Still]:
        left, top, width, height = self._place
        middle = left + width / 2, top + height / 2
        for across, reach in self._heights(n):
            x, y = left + across, top + height // 2 - reach
            yield Still(self._sprite(x & 1, y & 1, reach), x - (x & 1), y - (y & 1), middle)

    def _sprite(self, x: int, y: int, reach: int) -> Sprite:
        """A bar in whole pixels, (x, y) from even ones: stamping it takes a twentieth of the time."""
        if (x, y, reach) not in self._sprites:
            raster = Raster(self._pixels(reach), 0, 0, self._thick, 2 * reach, [self._color])
            self._sprites[x, y, reach] = Still.at(raster, x, y).sprite
        return self._sprites[x, y, reach]

    def _turned(self, n: int) -> Still:
        _, _, width, height = self._place
        pixels = np.zeros((height, width, 4), np.uint8)
        for left, reach in self._heights(n):
            rows = slice(height // 2 - reach, height // 2 + reach)
            pixels[rows, left : left + self._thick] = self._pixels(reach)
        raster = Raster(pixels, 0, 0, width, height, [self._color]).turned(self._layer.rotation)
        return Still.of(raster, self._layer, self._studio)

    def _pixels(self, reach: int) -> Pixels:
        thick = self._thick
        return draw_shape("rectangle", thick, 2 * reach, fill=self._color, radius=thick / 2).pixels

    @property
    def _color(self) -> Color:
        return self._studio.color(self._layer.color)
