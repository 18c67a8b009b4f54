"""Single frames of a clip, decoded with little work."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import dropwhile
from pathlib import Path
from typing import cast

import av
import av.container
from av.stream import Discard

from renderkiln.media.container import open_container, shown, translated
from renderkiln.media.errors import Unreadable
from renderkiln.media.video.survey import Survey

_EARLY = 1e-6  # seconds: times are floats, those of frames are fractions
_BACK = 10.0  # seconds: transport streams have no index, and a seek may land behind the key frame


def samples(path: Path, survey: Survey, times: Iterable[float]) -> Iterator[av.VideoFrame]:
    """The frame shown at each of `times`, in ascending order; seconds from the first picture on.

    Frames are as stored, not turned. Outside of the clip it is the first, or the last. What cannot be decoded
    is passed over. Raises Unreadable when there is nothing to show.
    """
    with translated(path), open_container(path) as container, open_container(path) as other:
        film, scout = _Film(container, survey), _Scout(other, survey)
        for time in sorted(times):
            moment = survey.start + time + _EARLY
            target = scout.better(moment, film.place)
            if target is not None:
                film.jump(target)
            frame = film.shown_at(moment)
            if frame is None:
                raise Unreadable(f"{shown(path)} is damaged: no frame of it can be decoded")
            yield frame


class _Scout:
    """Finds where a seek would lead, by packets only: the decoder leaves its place where it gains by that."""

    def __init__(self, container: av.container.InputContainer, survey: Survey) -> None:
        self._container = container
        self._stream = _stream(container, survey)

    def better(self, moment: float, place: float) -> float | None:
        """What to seek to on the way from `place` to `moment`; None when no key frame lies between."""
        for target in (moment, moment - _BACK):
            if target <= place:
                return None
            try:
                key = _time(next(_from_key_frame(self._container, self._stream, target)))
            except (av.error.FFmpegError, StopIteration):
                continue
            if key <= moment:
                return target if key > place else None
        return None


class _Film:
    """A decoder that goes forward. It is one frame ahead of the one that is shown."""

    def __init__(self, container: av.container.InputContainer, survey: Survey) -> None:
        self._container = container
        self._stream = _stream(container, survey)
        self._stream.thread_type = "AUTO"
        self._frames = _decoded(container.demux(self._stream))
        self._ahead = next(self._frames, None)
        self._shown = self._ahead

    @property
    def place(self) -> float:
        """The moment up to which nothing more needs to be decoded."""
        return _time(self._ahead) if self._ahead is not None else math.inf

    def jump(self, target: float) -> None:
        """Go on from the first key frame that a seek to `target` gives."""
        self._frames = _decoded(_from_key_frame(self._container, self._stream, target))
        self._ahead = next(self._frames, self._ahead)

    def shown_at(self, moment: float) -> av.VideoFrame | None:
        """The last frame that begins by `moment`, which must not lie before the one asked for last."""
        while self._ahead is not None and _time(self._ahead) <= moment:
            self._shown = self._ahead
            self._ahead = next(self._frames, None)
        return self._shown


def _stream(container: av.container.InputContainer, survey: Survey) -> av.VideoStream:
    """The film of the survey; nothing else is read."""
    chosen = survey.info.video
    assert chosen is not None
    for stream in container.streams:
        if stream.index != chosen.index:
            stream.discard = Discard.all
    return cast("av.VideoStream", container.streams[chosen.index])


def _from_key_frame(
    container: av.container.InputContainer, stream: av.VideoStream, moment: float
) -> Iterator[av.Packet[av.VideoStream]]:
    assert stream.time_base is not None
    container.seek(int(moment / stream.time_base), stream=stream)
    return dropwhile(lambda packet: not packet.is_keyframe, container.demux(stream))


def _decoded(packets: Iterator[av.Packet[av.VideoStream]]) -> Iterator[av.VideoFrame]:
    try:
        for packet in packets:
            with suppress(av.error.FFmpegError):
                yield from packet.decode()
    except av.error.FFmpegError:  # reading failed: this is the end
        return


def _time(item: av.VideoFrame | av.Packet[av.VideoStream]) -> float:
    moment = item.pts if item.pts is not None else item.dts
    return math.inf if moment is None or item.time_base is None else float(moment * item.time_base)
