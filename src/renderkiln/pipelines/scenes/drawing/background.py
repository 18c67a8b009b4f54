"""What fills the frame behind all layers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import cached_property

from renderkiln.media.frames.axis import Rect
from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.media.frames.colorcode import fill
from renderkiln.media.frames.gradient import Gradient as Stops
from renderkiln.media.frames.gradient import paint_gradient
from renderkiln.media.frames.photo import to_frame
from renderkiln.media.frames.text import Color
from renderkiln.media.frames.window import draw_window
from renderkiln.pipelines.scenes.document.background import (
    ColorBackground,
    Gradient,
    GradientBackground,
    ImageBackground,
    Stop,
)
from renderkiln.pipelines.scenes.document.motion import KenBurns
from renderkiln.pipelines.scenes.drawing.drift import enlarged, view_at
from renderkiln.pipelines.scenes.drawing.studio import Studio


class Backdrop:
    """A background that stands still: a colour, a gradient, or a picture."""

    def __init__(
        self, background: ColorBackground | GradientBackground | ImageBackground, studio: Studio
    ) -> None:
        self._background, self._studio = background, studio

    def state(self, n: int) -> Hashable | None:  # noqa: ARG002  always the same
        return True

    def draw(self, frame: Frame, n: int) -> None:  # noqa: ARG002
        frame.buffer[:] = self._painted.buffer

    def close(self) -> None:
        """Holds nothing."""

    @cached_property
    def _painted(self) -> Frame:
        key = "backdrop", self._background.model_dump_json()
        return self._studio.once(key, self._paint, lambda frame: frame.buffer.nbytes)

    def _paint(self) -> Frame:
        background, studio = self._background, self._studio
        frame = Frame(studio.canvas)
        match background:
            case ColorBackground():
                fill(frame, studio.color(background.color))
            case GradientBackground():
                paint_gradient(frame, gradient_of(background, studio))
            case ImageBackground():
                frame = picture_of(background, studio.canvas, studio)
        return frame


class DriftingBackdrop:
    """A picture over the whole frame, with a slow drift."""

    def __init__(self, background: ImageBackground, drift: KenBurns, frames: int, studio: Studio) -> None:
        self._background, self._drift = background, drift
        self._frames, self._studio = frames, studio

    def state(self, n: int) -> Hashable | None:
        return self._view(n)

    def draw(self, frame: Frame, n: int) -> None:
        canvas = self._studio.canvas
        whole = Rect(0, 0, canvas.width, canvas.height)
        draw_window(self._source, frame, view=self._view(n), place=whole)

    def close(self) -> None:
        """Holds nothing."""

    def _view(self, n: int) -> Rect:
        height, width = self._source.y.shape
        return view_at(self._drift, n / max(1, self._frames - 1), width, height)

    @cached_property
    def _source(self) -> Frame:
        key = "drifting", self._background.model_dump_json()
        return self._studio.once(key, self._enlarged, lambda frame: frame.buffer.nbytes)

    def _enlarged(self) -> Frame:
        background, canvas, zoom = self._background, self._studio.canvas, enlarged(self._drift)
        width, height = (2 * round(side * zoom / 2) for side in (canvas.width, canvas.height))
        return picture_of(background, Canvas(width, height, canvas.fps), self._studio)


def picture_of(background: ImageBackground, canvas: Canvas, studio: Studio) -> Frame:
    """The picture over all of a canvas."""
    image, color = studio.image(background.file), studio.color(background.color)
    return to_frame(image, canvas, color, fit=background.fit, dim=background.dim)


def gradient_of(gradient: Gradient, studio: Studio) -> Stops:
    """A gradient of the document; colours without a place lie evenly between their neighbours."""
    return Stops(_spread(gradient.colors, studio), gradient.kind, gradient.angle)


def _spread(colors: Sequence[str | Stop], studio: Studio) -> list[tuple[float, Color]]:
    places: list[float | None] = [each.at if isinstance(each, Stop) else None for each in colors]
    places[0] = 0.0 if places[0] is None else places[0]
    places[-1] = 1.0 if places[-1] is None else places[-1]
    known = [number for number, place in enumerate(places) if place is not None]
    spread: list[tuple[float, Color]] = []
    for number, each in enumerate(colors):
        place = places[number]
        if place is None:
            before = max(other for other in known if other < number)
            after = min(other for other in known if other > number)
            low, high = places[before] or 0.0, places[after] or 0.0
            place = low + (high - low) * (number - before) / (after - before)
        spread.append((place, studio.color(each.color if isinstance(each, Stop) else each)))
    return spread
