"""Subtitles, each at its time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Sequence
from itertools import accumulate

from renderkiln.media.captions import Cue
from renderkiln.media.frames.canvas import Frame
from renderkiln.media.frames.lettering import Lettering, Look
from renderkiln.pipelines.scenes.document.layers import CaptionsLayer
from renderkiln.pipelines.scenes.drawing.lettered import lettered, raster_of, resolved
from renderkiln.pipelines.scenes.drawing.pose import Movement, Pose, Presence
from renderkiln.pipelines.scenes.drawing.still import Still, room
from renderkiln.pipelines.scenes.drawing.studio import Studio


class CaptionsElement:
    """Draws the cue of the moment; of two at once the one that began last."""

    def __init__(self, layer: CaptionsLayer, cues: Sequence[Cue], frames: int, studio: Studio) -> None:
        self._layer, self._studio = layer, studio
        self._cues = sorted(cues, key=lambda cue: cue.start)
        self._starts = [cue.start for cue in self._cues]
        self._latest = list(accumulate((cue.end for cue in self._cues), max))  # end of it and all before
        self._presence = Presence.of(layer, frames, studio.canvas.fps)
        self._shown: tuple[int, Still] | None = None

    def state(self, n: int) -> Hashable | None:
        number = self._number(n)
        if number is None or (pose := self._pose(number, n)) is None:
            return None
        return number, pose

    def draw(self, frame: Frame, n: int) -> None:
        number = self._number(n)
        if number is not None and (pose := self._pose(number, n)) is not None:
            self._still(number).draw(frame, pose)

    def close(self) -> None:
        """Holds nothing."""

    def _number(self, n: int) -> int | None:
        if not self._presence.first <= n < self._presence.last:
            return None
        time = n / self._studio.canvas.fps
        number = bisect_right(self._starts, float(time) + 1e-6) - 1
        while number >= 0 and self._cues[number].end <= time:
            number -= 1  # it is over, but one that began before it may not be
            if number >= 0 and self._latest[number] <= time:
                return None
        return number if number >= 0 else None

    def _pose(self, number: int, n: int) -> Pose | None:
        return Movement(self._layer, self._presence, self._studio.ruler, self._still(number).bounds).at(n)

    def _still(self, number: int) -> Still:
        if self._shown is None or self._shown[0] != number:
            self._shown = number, self._made(number)
        return self._shown[1]

    def _made(self, number: int) -> Still:
        raster = raster_of(*set_cue(self._cues[number], self._layer, self._studio))
        return Still.of(raster.turned(self._layer.rotation), self._layer, self._studio)


def set_cue(cue: Cue, layer: CaptionsLayer, studio: Studio) -> tuple[Lettering, Look]:
    """The words of a cue within the width of its layer, else within what room there is."""
    width, height = room(layer, studio)
    if layer.width is not None:
        width = studio.ruler.across(layer.width)
    return lettered(
        cue.text,
        resolved(layer, layer.style, studio),
        (width, height),
        studio,
        anchor=layer.anchor,
        max_lines=layer.max_lines,
        rotation=layer.rotation,
    )
