"""Clips as layers and as backgrounds: FFmpeg decodes them in time."""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import ExitStack
from functools import cached_property
from typing import Literal

from renderkiln.media.frames.axis import Rect
from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.media.frames.colorcode import fill
from renderkiln.media.frames.shape import MAX_PIXELS
from renderkiln.media.frames.window import Mask
from renderkiln.media.video.plain import size as upright
from renderkiln.media.video.playback import Playback, contained
from renderkiln.media.video.survey import Survey
from renderkiln.pipelines.scenes.document.background import VideoBackground
from renderkiln.pipelines.scenes.document.layers import VideoLayer
from renderkiln.pipelines.scenes.drawing.picture import draw_posed, rounded
from renderkiln.pipelines.scenes.drawing.pose import Movement, Pose, Presence
from renderkiln.pipelines.scenes.drawing.still import placed, room, whole
from renderkiln.pipelines.scenes.drawing.studio import Studio


class _Player:
    """Plays a clip from the moment that is asked for first; `width` × `height` is what is decoded."""

    def __init__(
        self, clip: VideoLayer | VideoBackground, studio: Studio, width: int, height: int, *, first: int
    ) -> None:
        self._clip, self._studio, self._first = clip, studio, first
        self.frame = Frame(Canvas(width, height, studio.canvas.fps))
        self._open = ExitStack()
        self._playback: Playback | None = None
        self._next = 0

    def seek(self, n: int) -> None:
        """Have the picture of frame `n` of the scene in `frame`."""
        if self._playback is None:
            self._playback = self._open.enter_context(self._played(n))
            self._next = n
        while self._next <= n:
            self._playback.read(self.frame)
            self._next += 1

    def state(self, n: int) -> Hashable:
        """Frame `n`, or the same for all frames once the clip stands still."""
        return "still" if self._playback is not None and self._playback.is_still else n

    def close(self) -> None:
        self._open.close()

    def _played(self, n: int) -> Playback:
        found, canvas = self._studio.found[self._clip.file], self._studio.canvas
        assert found.survey is not None
        if_short: Literal["loop", "freeze"] = "loop" if self._clip.if_short == "loop" else "freeze"
        height, width = self.frame.y.shape
        return Playback(
            found.path,
            found.survey,
            width=width,
            height=height,
            fps=canvas.fps,
            start=float((n - self._first) / canvas.fps),
            trim=self._clip.trim,
            if_short=if_short,
            open_reader=self._studio.open_reader,
        )


class ClipElement:
    """Draws a clip in a frame of its own, which is not turned."""

    def __init__(self, layer: VideoLayer, frames: int, studio: Studio) -> None:
        self._layer, self._studio = layer, studio
        self._presence = Presence.of(layer, frames, studio.canvas.fps)

    def state(self, n: int) -> Hashable | None:
        pose = self._movement.at(n)
        return pose and (pose, self._player.state(n))

    def draw(self, frame: Frame, n: int) -> None:
        pose = self._movement.at(n)
        if pose is None:
            return
        self._player.seek(n)
        height, width = self._player.frame.y.shape
        whole = Rect(0, 0, width, height)
        draw_posed(self._player.frame, frame, whole, self._place, pose, self._mask)

    def close(self) -> None:
        if "_player" in self.__dict__:
            self._player.close()

    @cached_property
    def _player(self) -> _Player:
        left, top, right, bottom = self._place
        width, height = round(right - left), round(bottom - top)
        return _Player(self._layer, self._studio, width, height, first=self._presence.first)

    @cached_property
    def _place(self) -> Rect:
        survey = self._studio.found[self._layer.file].survey
        assert survey is not None
        width, height = size_of(self._layer, survey, self._studio)
        x, y = placed(self._layer, width, height, self._studio)
        left, top = 2 * round(x / 2), 2 * round(y / 2)
        return Rect(left, top, left + width, top + height)

    @cached_property
    def _movement(self) -> Movement:
        return Movement(self._layer, self._presence, self._studio.ruler, self._place)

    @cached_property
    def _mask(self) -> Mask | None:
        return rounded(self._place, self._layer.radius * self._studio.ruler.unit)


class ClipBackdrop:
    """Draws a clip over the whole frame, or as much of it as the clip's shape fills."""

    def __init__(self, background: VideoBackground, frames: int, studio: Studio) -> None:
        self._background, self._studio = background, studio
        self._frames = frames

    def state(self, n: int) -> Hashable | None:
        return self._player.state(n)

    def draw(self, frame: Frame, n: int) -> None:
        if not self._fills:
            fill(frame, self._studio.color(self._background.color))
        self._player.seek(n)
        height, width = self._player.frame.y.shape
        if self._background.dim:
            _blacken(frame, self._place)  # only the clip is dimmed, not what is beside it
        pose = Pose(opacity=1 - self._background.dim)
        draw_posed(self._player.frame, frame, Rect(0, 0, width, height), self._place, pose, None)

    def close(self) -> None:
        if "_player" in self.__dict__:
            self._player.close()

    @property
    def _fills(self) -> bool:
        canvas = self._studio.canvas
        return self._place == Rect(0, 0, canvas.width, canvas.height)

    @cached_property
    def _player(self) -> _Player:
        left, top, right, bottom = self._place
        width, height = round(right - left), round(bottom - top)
        return _Player(self._background, self._studio, width, height, first=0)

    @cached_property
    def _place(self) -> Rect:
        canvas, survey = self._studio.canvas, self._studio.found[self._background.file].survey
        assert survey is not None
        width, height = canvas.width, canvas.height
        if self._background.fit == "contain":
            width, height = _within(survey, width, height)
        left, top = 2 * round((canvas.width - width) / 4), 2 * round((canvas.height - height) / 4)
        return Rect(left, top, left + width, top + height)


def _blacken(frame: Frame, place: Rect) -> None:
    left, top, right, bottom = map(int, place)
    frame.y[top:bottom, left:right] = 16
    for plane in (frame.u, frame.v):
        plane[top // 2 : bottom // 2, left // 2 : right // 2] = 128


def size_of(layer: VideoLayer, survey: Survey, studio: Studio) -> tuple[int, int]:
    """Width and height of the layer, even, in pixels of the frame; what is not given is in proportion."""
    ruler, (width, height) = studio.ruler, upright(survey)
    if layer.width is None and layer.height is None:
        return _within(survey, *room(layer, studio))
    if layer.width is None:
        assert layer.height is not None
        tall = whole(ruler.down(layer.height))
        return _sized(tall * width / height, tall)
    wide = whole(ruler.across(layer.width))
    if layer.height is None:
        return _sized(wide, wide * height / width)
    tall = whole(ruler.down(layer.height))
    return _within(survey, wide, tall) if layer.fit == "contain" else _sized(wide, tall)


def _within(survey: Survey, width: float, height: float) -> tuple[int, int]:
    """The largest size in proportion that fits."""
    return _sized(*contained(survey, round(width), round(height)))


def _sized(width: float, height: float) -> tuple[int, int]:
    """Even. Raises ValueError for more pixels than anybody sees, each of which would be decoded."""
    if width * height > MAX_PIXELS:
        raise ValueError(f"a clip cannot be shown at {width:.0f}x{height:.0f} pixels: make it smaller")
    return _even(width), _even(height)


def _even(length: float) -> int:
    return max(2, 2 * round(length / 2))
