"""Verifies a film: one pass through every frame and every sample of it."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import av
import av.container

from renderkiln.media.audio.loudness import Loudness, Meter
from renderkiln.media.audio.stereo import Stereo
from renderkiln.media.container import open_container
from renderkiln.media.errors import FFmpegStopped
from renderkiln.media.luma import Luma, LumaWatch
from renderkiln.media.packets import Packets, PacketWatch
from renderkiln.media.probe import MediaInfo, StreamInfo, is_cover, probe

_REPORT_EVERY = 15  # frames
_MAX_ERRORS = 20  # kept in words; all are counted


@dataclass(frozen=True)
class VideoMeasures:
    """What the video stream gave. Times in seconds on the film's own clock."""

    frames: int
    first: float  # when the first frame is shown
    end: float  # when the last frame ends
    irregular: int  # frames that do not follow the one before by one frame duration; 0 for a gif
    packets: Packets  # all of them
    luma: Luma | None  # None where nobody looked


@dataclass(frozen=True)
class AudioMeasures:
    """What decoding the audio stream gave. Times in seconds on the film's own clock."""

    samples: int  # decoded, with the codec's padding at the end
    first: float  # when the first sample is heard
    end: float  # when the stream ends by its header: padding is not heard
    loudness: Loudness


@dataclass(frozen=True)
class Inspection:
    """Headers and measures of a film; a stream of which nothing could be decoded is None."""

    info: MediaInfo
    video: VideoMeasures | None
    audio: AudioMeasures | None
    error_count: int
    errors: tuple[str, ...]  # the first of them, in words

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, without the cover's bytes."""
        info = self.info.to_json()
        if self.info.cover is not None:
            info["cover"] = self.info.cover.media_type
        values = {**asdict(self), "info": info, "errors": list(self.errors)}
        if self.audio is not None:
            values["audio"]["loudness"] = self.audio.loudness.to_json()
        return values


def inspect(
    path: Path,
    *,
    copied: Sequence[Packets] | None = None,
    look: bool = True,
    on_progress: Callable[[int], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Inspection:
    """Decode everything in `path` and measure it; damage is reported in `errors` instead of raised.

    `copied`, of a film joined by copying, is what the packets of its parts were when those were inspected:
    its pictures are not decoded again, and what is not a copy is an error. Unless one is to `look`, how
    bright pictures are and whether they move is not measured. `on_progress` gets the number of
    frames seen so far, and may raise. Raises Unreadable when not even the headers can be read, FFmpegStopped
    when `stop` says so.
    """
    info = probe(path, gifs=True)
    errors = _Errors()
    with open_container(path, gifs=True) as container:
        pictures, sounds = _streams(container)
        audio = _AudioPass(info.audio)
        video = _VideoPass(info, pictures, copied, look=look) if pictures is not None else None
        reported = 0
        for packet in _packets(container, [stream for stream in (pictures, sounds) if stream], errors):
            if video is None or packet.stream is not pictures:
                audio.add(packet, errors)
                continue
            video.add(packet, errors)
            if video.frames >= reported + _REPORT_EVERY:
                reported = video.frames
                if stop is not None and stop():
                    raise FFmpegStopped("the verification was stopped")
                if on_progress is not None:
                    on_progress(reported)
    measured = video.measures(errors) if video is not None else None
    return Inspection(info, measured, audio.measures(), errors.count, tuple(errors.words))


class _Errors:
    def __init__(self) -> None:
        self.count = 0
        self.words: list[str] = []

    def add(self, where: str, what: str | None) -> None:
        self.count += 1
        if len(self.words) < _MAX_ERRORS:
            self.words.append(f"{where}: {what}")


_Packet: TypeAlias = "av.Packet[Any]"


def _streams(
    container: av.container.InputContainer,
) -> tuple[av.VideoStream | None, av.AudioStream | None]:
    """The first video stream that is no cover and the first audio stream that can be decoded."""
    pictures = [stream for stream in container.streams.video if not is_cover(stream)][:1]
    pictures = [stream for stream in pictures if stream.codec_context is not None]
    sounds = [stream for stream in container.streams.audio[:1] if stream.codec_context is not None]
    return next(iter(pictures), None), next(iter(sounds), None)


def _packets(
    container: av.container.InputContainer,
    streams: Sequence[av.VideoStream | av.AudioStream],
    errors: _Errors,
) -> Iterator[_Packet]:
    """In the order of the file; at the end of each stream an empty one, which flushes its decoder."""
    if not streams:  # `demux` would take it for all of them
        return
    for stream in streams:
        stream.codec_context.thread_type = "AUTO"
    try:
        yield from container.demux(*streams)
    except av.error.FFmpegError as error:
        errors.add("reading the file", error.strerror)


def _decoded(packet: _Packet, errors: _Errors) -> list[Any]:
    try:
        return packet.decode()
    except av.error.FFmpegError as error:
        errors.add(_place(packet), error.strerror)
        return []


class _VideoPass:
    """Decodes pictures and looks at them; where they are `copied`, only holds them against what they were."""

    def __init__(
        self, info: MediaInfo, stream: av.VideoStream, copied: Sequence[Packets] | None, *, look: bool
    ) -> None:
        fps = info.video.fps if info.video is not None else None
        # Each frame of a gif says how long it is shown
        self._step = 1 / Fraction(fps) if fps is not None and info.container != "gif" else None
        self._copied = copied
        self._whole = PacketWatch(stream)
        self._parts = PacketWatch(stream, [each.count for each in copied or ()])
        self._times = array("d")  # when each frame is shown
        self._until = 0.0  # by what the frames say
        self._luma = LumaWatch() if look and copied is None else None

    @property
    def frames(self) -> int:
        return len(self._times)

    def add(self, packet: _Packet, errors: _Errors) -> None:
        if packet.size:
            self._whole.add(packet)
        if self._copied is None:
            for frame in _decoded(packet, errors):
                if frame.is_corrupt:  # decoders conceal damage as well as they can
                    errors.add(f"video at {frame.time or 0:.2f} s", "the picture is damaged")
                self._shown(frame)
                if self._luma is not None:
                    self._luma.add(frame)
        elif packet.size:
            if packet.is_corrupt or packet.is_discard:
                errors.add(_place(packet), "the picture is damaged, or is not shown")
            self._parts.add(packet)
            self._shown(packet)

    def _shown(self, each: Any) -> None:
        """A frame, or a packet with one."""
        base = each.time_base or 0
        self._times.append(float((each.pts or 0) * base))
        self._until = max(self._until, self._times[-1] + float((each.duration or 0) * base))

    def measures(self, errors: _Errors) -> VideoMeasures | None:
        if not self._times:
            return None
        times: Sequence[float] = self._times
        if self._copied is not None:
            times = sorted(times)  # packets come in the order of decoding
            self._compare(self._copied, errors)
        irregular = sum(self._is_irregular(before, after) for before, after in pairwise(times))
        end = self._until if self._step is None else times[-1] + float(self._step)
        luma = None if self._luma is None else self._luma.result()
        return VideoMeasures(len(times), times[0], end, irregular, self._whole.result()[0], luma)

    def _is_irregular(self, before: float, after: float) -> bool:
        return self._step is not None and abs(after - before - self._step) > self._step / 10

    def _compare(self, copied: Sequence[Packets], errors: _Errors) -> None:
        found, first = self._parts.result(), 0
        for number, part in enumerate(copied):
            if number >= len(found) or found[number] != part:
                last = first + part.count - 1
                errors.add("video", f"frames {first} to {last} are not those that were verified")
            first += part.count


class _AudioPass:
    def __init__(self, stream: StreamInfo | None) -> None:
        self._stream = stream
        self._samples = 0
        self._first = 0.0
        rate = stream.rate if stream is not None and stream.rate else 48000
        self._rate = rate
        self._stereo, self._meter = Stereo(rate), Meter(rate)

    def add(self, packet: _Packet, errors: _Errors) -> None:
        for frame in _decoded(packet, errors):
            if self._samples == 0:
                self._first = frame.time or 0.0
            self._samples += frame.samples
            try:
                for block in self._stereo.push(frame):
                    self._meter.add(block)
            except av.error.FFmpegError as error:  # a layout or rate that no one can convert
                errors.add("audio", error.strerror)

    def measures(self) -> AudioMeasures | None:
        if self._samples == 0 or self._stream is None:
            return None
        for block in self._stereo.flush():
            self._meter.add(block)
        end = self._first + self._samples / self._rate
        if self._stream.duration is not None:
            end = (self._stream.start or 0.0) + self._stream.duration
        return AudioMeasures(self._samples, self._first, end, self._meter.result())


def _place(packet: av.Packet[Any]) -> str:
    kind, moment = str(packet.stream.type), packet.pts if packet.pts is not None else packet.dts
    return kind if moment is None else f"{kind} at {float(moment * packet.time_base):.2f} s"
