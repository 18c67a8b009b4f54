"""Verifies a delivered film: one pass through every frame and every sample of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import av.container

from renderkiln.media.audio.loudness import Loudness, Meter
from renderkiln.media.audio.stereo import Stereo
from renderkiln.media.container import open_container
from renderkiln.media.errors import FFmpegStopped
from renderkiln.media.luma import Luma, LumaWatch
from renderkiln.media.probe import MediaInfo, StreamInfo, is_cover, probe

_REPORT_EVERY = 15  # frames
_MAX_ERRORS = 20  # kept in words; all are counted


@dataclass(frozen=True)
class VideoMeasures:
    """What decoding the video stream gave. Times in seconds on the film's own clock."""

    frames: int
    first: float  # when the first frame is shown
    end: float  # when the last frame ends
    irregular: int  # frames that do not follow the one before by one frame duration; 0 for a gif
    luma: Luma


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
    on_progress: Callable[[int], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Inspection:
    """Decode everything in `path` and measure it; damage is reported in `errors` instead of raised.

    `on_progress` gets the number of frames decoded so far, and may raise. Raises Unreadable when not even the
    headers can be read, FFmpegStopped when `stop` says so.
    """
    info = probe(path, gifs=True)
    video, audio, errors = _VideoPass(info), _AudioPass(info.audio), _Errors()
    with open_container(path, gifs=True) as container:
        for frame in _frames(container, errors):
            if isinstance(frame, av.AudioFrame):
                try:
                    audio.add(frame)
                except av.error.FFmpegError as error:  # a layout or rate that no one can convert
                    errors.add("audio", error.strerror)
                continue
            if frame.is_corrupt:  # decoders conceal damage as well as they can
                errors.add(f"video at {frame.time or 0:.2f} s", "the picture is damaged")
            video.add(frame)
            if video.frames % _REPORT_EVERY == 0:
                if stop is not None and stop():
                    raise FFmpegStopped("the verification was stopped")
                if on_progress is not None:
                    on_progress(video.frames)
    return Inspection(info, video.measures(), audio.measures(), errors.count, tuple(errors.words))


class _Errors:
    def __init__(self) -> None:
        self.count = 0
        self.words: list[str] = []

    def add(self, where: str, what: str | None) -> None:
        self.count += 1
        if len(self.words) < _MAX_ERRORS:
            self.words.append(f"{where}: {what}")


def _frames(
    container: av.container.InputContainer, errors: _Errors
) -> Iterator[av.VideoFrame | av.AudioFrame]:
    """Every frame of the first video and the first audio stream, in the order of the file."""
    pictures = [stream for stream in container.streams.video if not is_cover(stream)]
    streams: list[av.VideoStream | av.AudioStream] = [*pictures[:1], *container.streams.audio[:1]]
    streams = [stream for stream in streams if stream.codec_context is not None]
    if not streams:  # `demux` would take it for all of them
        return
    for stream in streams:
        stream.codec_context.thread_type = "AUTO"
    try:
        for packet in container.demux(*streams):
            try:
                yield from cast("list[av.VideoFrame | av.AudioFrame]", packet.decode())
            except av.error.FFmpegError as error:
                errors.add(_place(packet), error.strerror)
    except av.error.FFmpegError as error:
        errors.add("reading the file", error.strerror)


class _VideoPass:
    def __init__(self, info: MediaInfo) -> None:
        fps = info.video.fps if info.video is not None else None
        # Each frame of a gif says how long it is shown
        self._step = 1 / Fraction(fps) if fps is not None and info.container != "gif" else None
        self.frames = self._irregular = 0
        self._first = self._last = self._shown = 0.0
        self._luma = LumaWatch()

    def add(self, frame: av.VideoFrame) -> None:
        time = frame.time or 0.0
        if self.frames == 0:
            self._first = time
        elif self._step is not None and abs(time - self._last - self._step) > self._step / 10:
            self._irregular += 1
        self._last, self._shown = time, float((frame.duration or 0) * (frame.time_base or 0))
        self.frames += 1
        self._luma.add(frame)

    def measures(self) -> VideoMeasures | None:
        if self.frames == 0:
            return None
        end = self._last + float(self._step or self._shown)
        return VideoMeasures(self.frames, self._first, end, self._irregular, self._luma.result())


class _AudioPass:
    def __init__(self, stream: StreamInfo | None) -> None:
        self._stream = stream
        self._samples = 0
        self._first = 0.0
        rate = stream.rate if stream is not None and stream.rate else 48000
        self._rate = rate
        self._stereo, self._meter = Stereo(rate), Meter(rate)

    def add(self, frame: av.AudioFrame) -> None:
        if self._samples == 0:
            self._first = frame.time or 0.0
        self._samples += frame.samples
        for block in self._stereo.push(frame):
            self._meter.add(block)

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
