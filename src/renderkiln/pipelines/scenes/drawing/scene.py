"""Draws the frames of one scene, doing again only what has changed since the frame before."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from renderkiln.domain.errors import Permanent
from renderkiln.media.captions import Cue
from renderkiln.media.errors import Unreadable, Unsuitable
from renderkiln.media.frames.canvas import Frame
from renderkiln.media.subtitles import read_captions
from renderkiln.pipelines.scenes.document.background import ImageBackground, VideoBackground
from renderkiln.pipelines.scenes.document.layers import (
    AnyLayer,
    CaptionsLayer,
    ImageLayer,
    ProgressLayer,
    ShapeLayer,
    TextLayer,
    VideoLayer,
    WaveformLayer,
)
from renderkiln.pipelines.scenes.document.project import Logo
from renderkiln.pipelines.scenes.drawing.background import Backdrop, DriftingBackdrop
from renderkiln.pipelines.scenes.drawing.captions import CaptionsElement
from renderkiln.pipelines.scenes.drawing.clip import ClipBackdrop, ClipElement
from renderkiln.pipelines.scenes.drawing.element import Element
from renderkiln.pipelines.scenes.drawing.picture import DriftingImageElement, ImageElement
from renderkiln.pipelines.scenes.drawing.progress import ProgressElement
from renderkiln.pipelines.scenes.drawing.shape import ShapeElement
from renderkiln.pipelines.scenes.drawing.studio import Studio
from renderkiln.pipelines.scenes.drawing.text import TextElement
from renderkiln.pipelines.scenes.drawing.waveform import WaveformElement
from renderkiln.pipelines.scenes.timeline import Span

State = Hashable | None


class SceneDrawer:
    """A context manager; ask for frames in ascending order, from any one on.

    Raises Permanent for what cannot be drawn, such as a shape without a width.
    """

    def __init__(self, span: Span, studio: Studio) -> None:
        self._span, self._studio = span, studio
        self._elements = [
            _backdrop(span, studio),
            *(_element(layer, span, studio) for layer in span.scene.layers),
            *_logo(span, studio),
        ]
        self._before: Sequence[State] = ()
        # What has not changed for two frames is kept drawn: the first elements, up to one that moves.
        self._base = Frame(studio.canvas)
        self._kept: Sequence[State] = ()

    def draw(self, frame: Frame, n: int) -> bool:
        """Draw frame `n` into `frame`. False when it is the same as the one drawn last, and left as it is."""
        states = [self._state(number, n) for number in range(len(self._elements))]
        if states == self._before:
            return False
        steady = _common(states, self._before)
        if self._kept != states[: len(self._kept)]:
            self._kept = ()
        self._lay(self._base, n, states, len(self._kept), steady)
        if steady > len(self._kept):
            self._kept = states[:steady]
        if self._kept:
            frame.buffer[:] = self._base.buffer
        self._lay(frame, n, states, len(self._kept), len(states))
        self._before = states
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for element in self._elements:
            element.close()

    def _lay(self, frame: Frame, n: int, states: Sequence[State], first: int, last: int) -> None:
        for number in range(first, last):
            if states[number] is not None:
                with self._told(number):
                    self._elements[number].draw(frame, n)

    def _state(self, number: int, n: int) -> State:
        with self._told(number):
            return self._elements[number].state(n)

    @contextmanager
    def _told(self, number: int) -> Iterator[None]:
        """What cannot be drawn, with its place in the project; the first element is the background."""
        try:
            yield
        except (ValueError, Unreadable, Unsuitable) as error:
            what = "background" if number == 0 else f"layers[{number - 1}]"
            if number > len(self._span.scene.layers):
                what = "logo"
            raise Permanent(f"The scene {self._span.id}, {what}: {self._studio.told(error)}") from error


def _common(one: Sequence[State], other: Sequence[State]) -> int:
    """How many first ones are equal."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (this, that) in pairs if this != that), min(len(one), len(other)))


def _backdrop(span: Span, studio: Studio) -> Element:
    background = span.scene.background
    match background:
        case VideoBackground():
            return ClipBackdrop(background, span.frames, studio)
        case ImageBackground() if background.ken_burns is not None:
            return DriftingBackdrop(background, background.ken_burns, span.frames, studio)
        case _:
            return Backdrop(background, studio)


def _element(layer: AnyLayer, span: Span, studio: Studio) -> Element:
    match layer:
        case TextLayer():
            return TextElement(layer, span.frames, studio)
        case ImageLayer() if layer.ken_burns is not None:
            return DriftingImageElement(layer, layer.ken_burns, span.frames, studio)
        case ImageLayer():
            return ImageElement(layer, span.frames, studio)
        case VideoLayer():
            return ClipElement(layer, span.frames, studio)
        case ShapeLayer():
            return ShapeElement(layer, span.frames, studio)
        case ProgressLayer():
            passed, whole = (0, span.frames) if layer.of == "scene" else (span.start, studio.film_frames)
            return ProgressElement(layer, span.frames, passed, whole, studio)
        case WaveformLayer():
            return WaveformElement(layer, span.frames, span.start, studio.bars[layer.of], studio)
        case CaptionsLayer():
            return CaptionsElement(layer, cues_of(layer, span, studio), span.frames, studio)


def cues_of(layer: CaptionsLayer, span: Span, studio: Studio) -> Sequence[Cue]:
    """What a layer of captions shows: its file, else what is spoken in its scene."""
    if layer.file is None:
        return studio.spoken.get(span.id, ())
    return read_captions(studio.found[layer.file].path)


def _logo(span: Span, studio: Studio) -> list[Element]:
    logo: Logo | None = studio.brand.logo
    if logo is None or not span.scene.logo:
        return []
    layer = ImageLayer(
        type="image",
        file=logo.file,
        anchor=logo.anchor,
        width=logo.width,
        height=logo.height,
        opacity=logo.opacity,
    )
    return [ImageElement(layer, span.frames, studio)]
