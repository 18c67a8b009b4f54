"""Draws the frames of a part: of one scene, or of a passage between two."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from renderkiln.media.frames.canvas import Frame
from renderkiln.media.frames.colorcode import nearest_codes
from renderkiln.media.frames.easing import eased
from renderkiln.media.frames.passage import draw_passage
from renderkiln.pipelines.scenes.drawing.scene import SceneDrawer
from renderkiln.pipelines.scenes.drawing.studio import Studio
from renderkiln.pipelines.scenes.timeline import Part


class PartDrawer:
    """A context manager; ask for frames in ascending order, counted from the beginning of the part."""

    def __init__(self, part: Part, studio: Studio) -> None:
        self._part, self._studio = part, studio
        self._open = ExitStack()
        self._scene = self._open.enter_context(SceneDrawer(part.span, studio))
        self._next: SceneDrawer | None = None
        if part.next is not None:
            self._next = self._open.enter_context(SceneDrawer(part.next, studio))
            self._leaving, self._coming = Frame(studio.canvas), Frame(studio.canvas)

    def draw(self, frame: Frame, n: int) -> bool:
        """Draw frame `n` into `frame`. False when it is the same as the one drawn last, and left as it is."""
        if self._next is None:
            return self._scene.draw(frame, self._part.first + n)
        self._scene.draw(self._leaving, self._part.first + n)
        self._next.draw(self._coming, n)
        change = self._part.span.transition
        assert change is not None
        assert change.type != "cut"
        # Neither end of the passage is a frame that its neighbours show as well.
        progress = eased(change.easing, (n + 1) / (self._part.frames + 1))
        draw_passage(
            change.type,
            self._leaving,
            self._coming,
            progress,
            frame,
            direction=change.direction,
            color=nearest_codes(self._studio.color(change.color)),
        )
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()
