"""The frames of a clip as a film shows them: at the film's rate, in its size, one after the other."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import numpy as np

from renderkiln.media.container import shown
from renderkiln.media.errors import FFmpegFailed, Unreadable, Unsuitable
from renderkiln.media.ffmpeg.command import Command
from renderkiln.media.ffmpeg.decode import decode_frames
from renderkiln.media.ffmpeg.reader import Reader
from renderkiln.media.frames.canvas import Frame, Plane
from renderkiln.media.video.plain import plain, size
from renderkiln.media.video.survey import Survey

IfShort = Literal["loop", "freeze"]

_SEEKABLE = ("mov", "matroska")  # their index leads to the key frame before a time
_BACK = 12.0  # seconds: without one a seek ends anywhere, and x264's GOPs are 250 frames long
_WARM_UP = 0.5  # seconds that a deinterlacer needs to see what moves
_FINEST = 60_000  # denominator of times: those of frames are exact, even of 60000/1001 a second
_MOST_SCALED = 4  # times the pixels wanted


def contained(survey: Survey, width: int, height: int) -> tuple[int, int]:
    """The largest size, even, in which the whole picture fits into `width` x `height`."""
    across, down = size(survey)
    scale = min(Fraction(width, across), Fraction(height, down))
    return min(width, _even(across * scale)), min(height, _even(down * scale))


class Playback:
    """A clip, played. A context manager that leaves no process behind; `read` gives frame after frame.

    The picture fills `width` x `height`, both even: what is too much is cut off at its edges (see `contained`
    for a size of which nothing is cut off). The first `trim` seconds of the clip are left out. From
    `start` on, seconds from there, `fps` frames a second are shown. After the end it begins again at `trim`
    (`loop`: at time t it shows what it shows at t mod its length) or its last picture stays (`freeze`).
    `open_reader` starts FFmpeg, with `threads` for decoder and filters each. Raises Unsuitable when `trim`
    leaves nothing.
    """

    def __init__(
        self,
        path: Path,
        survey: Survey,
        *,
        width: int,
        height: int,
        fps: Fraction,
        open_reader: Callable[[Command], Reader],
        start: float | Fraction = 0.0,
        trim: float | Fraction = 0.0,
        if_short: IfShort = "freeze",
        threads: int = 1,
    ) -> None:
        self._path, self._survey, self._fps = path, survey, fps
        self._open_reader, self._threads = open_reader, threads
        self._trim = _exact(trim)
        self._length = _exact(survey.duration) - self._trim
        if self._length <= 0:
            lasts = f"{shown(path)} lasts {survey.duration:.2f} s"
            raise Unsuitable(f"{lasts}: nothing is left after its first {float(trim):.2f} s")
        self._loops = if_short == "loop" and self._length * fps > 1
        self._filters = _filters(survey, width, height)
        self._time = _exact(start)  # of the next frame
        self._left = 0  # frames that FFmpeg will still give
        self._running = ExitStack()
        self._reader: Reader | None = None
        self._is_new = True  # it has given nothing yet
        self._last: Plane | None = None

    @property
    def is_still(self) -> bool:
        """Whether all further frames are the one that was read last."""
        return self._last is not None

    def read(self, frame: Frame) -> None:
        """Put the next frame into `frame`, I420 of `width` x `height`.

        What cannot be decoded is passed over: the picture before it stays. Raises Unreadable when there is
        none, and FFmpegFailed, FFmpegStalled, FFmpegStopped.
        """
        if self._last is not None:
            np.copyto(frame.buffer, self._last)
            return
        if not self._left:
            self._begin()
        if not self._got(frame):
            self._begin_early(frame)
        self._left -= 1
        self._time += 1 / self._fps
        if not self._left:
            self._running.close()
            if not self._loops:
                self._last = frame.buffer.copy()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    @property
    def _moment(self) -> Fraction:
        """Where the next frame is in the clip, seconds behind `trim`."""
        if self._loops:
            return self._time % self._length
        return min(self._time, max(Fraction(0), self._length - 1 / self._survey.fps / 2))

    def _begin(self) -> None:
        """Start FFmpeg for what is left of the clip."""
        left = math.ceil((self._length - self._moment) * self._fps)
        self._left = left if self._loops else left + 1  # the last picture may begin behind the last of these
        self._start(self._trim + self._moment, self._left)

    def _begin_early(self, frame: Frame) -> None:
        """Again from the beginning on: where it is damaged, the picture to be shown is a much earlier one."""
        moment = self._trim + self._moment
        skipped = math.floor(moment * self._fps)
        self._start(moment - skipped / self._fps, skipped + self._left)
        for _ in range(skipped + 1):
            if not self._got(frame):
                raise Unreadable(f"{shown(self._path)} is damaged: no frame of it can be decoded")

    def _start(self, moment: Fraction, frames: int) -> None:
        """Start FFmpeg at a moment of the whole clip."""
        survey = self._survey
        assert survey.info.video is not None
        every = 1 if survey.interlaced else 0  # the deinterlacer, which comes first, must see all pictures
        at = Fraction(survey.start) + moment
        command = decode_frames(
            self._path,
            index=survey.info.video.index,
            before=[f"scale={survey.width}:{survey.height}", *self._filters[:every]],
            filters=self._filters[every:],
            fps=self._fps,
            at=at,
            seek=_seek(survey, float(at)),
            frames=frames,
            threads=self._threads,
        )
        self._running.close()
        self._reader = self._running.enter_context(self._open_reader(command))
        self._is_new = True

    def _got(self, frame: Frame) -> bool:
        """Whether there was another frame. When none can be decoded, FFmpeg may end well or not."""
        assert self._reader is not None
        try:
            got = self._reader.read_into(frame.buffer.data)
        except FFmpegFailed as error:
            if self._is_new and error.returncode is not None and error.returncode > 0:
                return False
            raise
        self._is_new = False
        return got


def _seek(survey: Survey, at: float) -> float | None:
    """From where to decode; None for the beginning."""
    back = 0.0 if survey.info.container.split(",")[0] in _SEEKABLE else _BACK
    if survey.interlaced:
        back += _WARM_UP
    return at - back if at - back > survey.start else None


def _filters(survey: Survey, width: int, height: int) -> list[str]:
    across, down = size(survey)
    scale = max(Fraction(width, across), Fraction(height, down))
    scaled = max(width, _even(across * scale)), max(height, _even(down * scale))
    if scaled[0] * scaled[1] <= _MOST_SCALED * width * height:
        return [*plain(survey, width=scaled[0], height=scaled[1]), *_middle(scaled, (width, height))]
    part = min(across, _even(width / scale)), min(down, _even(height / scale))
    return [*plain(survey), *_middle((across, down), part), f"scale={width}:{height}"]


def _middle(whole: tuple[int, int], part: tuple[int, int]) -> list[str]:
    if whole == part:
        return []
    left, top = ((all_ - some) // 4 * 2 for all_, some in zip(whole, part, strict=True))
    return [f"crop={part[0]}:{part[1]}:{left}:{top}"]


def _even(length: Fraction) -> int:
    return max(2, 2 * round(length / 2))


def _exact(seconds: float | Fraction) -> Fraction:
    return Fraction(seconds).limit_denominator(_FINEST)
