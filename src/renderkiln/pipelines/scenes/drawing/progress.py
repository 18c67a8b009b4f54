"""A bar that fills up while time passes."""

from __future__ import annotations

from collections.abc import Hashable
from functools import cached_property

from renderkiln.media.frames.axis import Rect
from renderkiln.media.frames.canvas import Frame
from renderkiln.media.frames.shape import draw_shape
from renderkiln.pipelines.scenes.document.layers import ProgressLayer
from renderkiln.pipelines.scenes.drawing.pose import Movement, Presence
from renderkiln.pipelines.scenes.drawing.still import Raster, Still
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
        pose = self._movement.at(n)
        if pose is None:
            return
        self._track.draw(frame, pose)
        left, top, right, bottom = self._bar.bounds
        reached = left + (right - left) * min(1.0, (self._passed + n + 1) / self._whole)
        clip = Rect(left + pose.x, top + pose.y, reached + pose.x, bottom + pose.y)
        self._bar.draw(frame, pose._replace(clip=clip if pose.clip is None else _both(clip, pose.clip)))

    def close(self) -> None:
        """Holds nothing."""

    @cached_property
    def _track(self) -> Still:
        return self._filled(self._layer.track)

    @cached_property
    def _bar(self) -> Still:
        return self._filled(self._layer.color)

    @cached_property
    def _movement(self) -> Movement:
        return Movement(self._layer, self._presence, self._studio.ruler, self._track.bounds)

    def _filled(self, color: str) -> Still:
        ruler, layer = self._studio.ruler, self._layer
        width, height = ruler.across(layer.width), ruler.down(layer.height)
        pixels, left, top = draw_shape(
            "rectangle", width, height, fill=self._studio.color(color), radius=layer.radius * ruler.unit
        )
        return Still.of(Raster(pixels, left, top, width, height), layer, self._studio)


def _both(one: Rect, other: Rect) -> Rect:
    """What is in both."""
    return Rect(
        max(one.left, other.left),
        max(one.top, other.top),
        min(one.right, other.right),
        min(one.bottom, other.bottom),
    )
