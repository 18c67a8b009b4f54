"""A text layer: at rest one picture; while a typewriter writes it, one for each letter."""

from __future__ import annotations

from collections.abc import Hashable
from functools import cached_property

from renderkiln.media.frames.canvas import Frame
from renderkiln.media.frames.lettering import Lettering, Look
from renderkiln.pipelines.scenes.document.layers import TextLayer
from renderkiln.pipelines.scenes.drawing.lettered import lettered, raster_of, resolved
from renderkiln.pipelines.scenes.drawing.pose import Pose
from renderkiln.pipelines.scenes.drawing.still import Raster, Still, StillElement, room
from renderkiln.pipelines.scenes.drawing.studio import Studio


class TextElement(StillElement):
    """Draws a text."""

    def __init__(self, layer: TextLayer, frames: int, studio: Studio) -> None:
        super().__init__(layer, frames, studio, self._whole)
        self._text = layer
        self._written: tuple[int, Still] | None = None  # the last one: letters only become more

    def state(self, n: int) -> Hashable | None:
        pose = super().state(n)
        if not isinstance(pose, Pose) or pose.shown == 1:
            return pose
        return pose._replace(shown=1.0), self._count(pose.shown)

    def draw(self, frame: Frame, n: int) -> None:
        pose = self._movement.at(n)
        if pose is None or pose.shown == 1:
            super().draw(frame, n)
        elif count := self._count(pose.shown):
            if self._written is None or self._written[0] != count:
                raster = raster_of(*self._set, shown=count).turned(self._text.rotation)
                self._written = count, Still.of(raster, self._layer, self._studio)
            self._written[1].draw(frame, pose)

    @cached_property
    def _set(self) -> tuple[Lettering, Look]:
        return set_text(self._text, self._studio)

    def _whole(self) -> Raster:
        return raster_of(*self._set).turned(self._text.rotation)

    def _count(self, share: float) -> int:
        return int(share * self._set[0].clusters)


def set_text(layer: TextLayer, studio: Studio) -> tuple[Lettering, Look]:
    """The text of a layer within its own width and height, else within what room there is."""
    style = resolved(layer, layer.style, studio)
    width, height = room(layer, studio)
    if layer.width is not None:
        width = studio.ruler.across(layer.width)
    if layer.height is not None:
        height = studio.ruler.down(layer.height)
    return lettered(layer.text, style, (width, height), studio, anchor=layer.anchor, rotation=layer.rotation)
