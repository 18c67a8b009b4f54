"""The sound of a clip as its picture needs it: from one moment on, so long, over and over if it is to be."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import av
import av.container
import numpy as np
import soxr
from av.stream import Discard, Disposition

from renderkiln.media.audio.loudness import Meter
from renderkiln.media.audio.source import RATE, Block
from renderkiln.media.audio.stereo import CHANNELS, Stereo
from renderkiln.media.container import open_container, shown, translated
from renderkiln.media.errors import FFmpegStopped, Unreadable, Unsuitable

EDGE = 0.005  # seconds: what is cut comes and goes in these, so that nothing clicks
_RATES = range(8_000, 192_001)  # Hz: what lies beyond, FFmpeg may convert
_LEEWAY = 0.05  # seconds: timestamps are rounded, and clocks drift; what is off by more is a gap
_ABSURD = 64.0  # +36 dBFS: no sound, but damage or integers called float
_MAX_ERRORS = 500  # packets in a row
_FRAME_BYTES = CHANNELS * 4


@dataclass(frozen=True)
class Excerpt:
    """`samples` samples in the file `path`: raw float32 at 48 kHz, interleaved stereo.

    `lufs` is the integrated loudness of what is heard of the clip once; None where that is silent or too
    short.
    """

    path: Path
    samples: int
    lufs: float | None


def excerpt(
    path: Path,
    target: Path,
    *,
    seconds: float,
    start: float | None = None,
    trim: float = 0.0,
    period: float | None = None,
    index: int | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Excerpt:
    """Decode `seconds` of the sound of `path` into `target`, beginning `trim` seconds after `start`.

    `start` is when the clip's picture begins, in seconds on the container's clock (`Survey.start`): sound
    that begins later comes after silence, what comes earlier is left out. None is where the sound itself
    begins. After its end there is silence; with a `period`, in seconds, it is cut there and begins again.
    `index` is that of the stream, by default the one that players choose. Mono is heard in both channels,
    more than two are mixed down. Gaps in the sound are silence. Memory stays bounded.

    Raises Unsuitable when there is no such sound, Unreadable when none of it can be decoded, FFmpegStopped
    when `stop` says so, ValueError for times that are none, and OSError (no space).
    """
    wanted = _samples(seconds, "a length")
    once = wanted if period is None else min(wanted, max(1, _samples(period, "a period")))
    if not (0 <= trim < math.inf and (start is None or math.isfinite(start))):
        raise ValueError(f"no sound begins {trim:g} s after {start} s")
    with target.open("w+b") as file:
        with translated(path), open_container(path) as container:
            sound = _Sound(path, container, index)
            lufs, heard = _written(sound.blocks(start, trim, once / RATE), once, file, stop)
        _softened(target, heard, once, wanted)
        if once < wanted:
            _repeated(target, file, once, wanted, stop)
    return Excerpt(target, wanted, lufs)


def _samples(seconds: float, what: str) -> int:
    if not 0 < seconds < math.inf:
        raise ValueError(f"{seconds:g} s is not {what} of sound")
    return max(1, round(seconds * RATE))


class _Sound:
    """One audio stream, decoded once in the order of time."""

    def __init__(self, path: Path, container: av.container.InputContainer, index: int | None) -> None:
        self._path, self._container = path, container
        self._stream = _chosen(path, container, index)
        for stream in container.streams:
            if stream.index != self._stream.index:
                stream.discard = Discard.all
        rate = self._stream.codec_context.sample_rate
        self._rate = rate if rate in _RATES else RATE
        self._end = _end(container, self._stream)

    def blocks(self, start: float | None, trim: float, seconds: float) -> Iterator[Block]:
        """At least `seconds` of it if it has so much, at 48 kHz: blocks of shape (2, n)."""
        enough = math.ceil((seconds + 0.1) * self._rate)  # the resampler wants to see beyond
        blocks = _gapless(self._ended(start, trim), enough)
        if self._rate == RATE:
            yield from blocks
            return
        sides = [
            soxr.ResampleStream(self._rate, RATE, 1, dtype="float32", quality="HQ") for _ in range(CHANNELS)
        ]
        for block in blocks:
            yield np.stack([side.resample_chunk(half) for side, half in zip(sides, block, strict=True)])
        yield np.stack([side.resample_chunk(np.empty(0, np.float32), last=True) for side in sides])

    def _ended(self, start: float | None, trim: float) -> Iterator[tuple[int, Block]]:
        """Without what fills up the last frame of AAC: where the sound itself ends it shall fade out."""
        if start is None or self._end is None:
            yield from self._placed(start, trim)
            return
        last = round((self._end - start - trim) * self._rate)
        for place, block in self._placed(start, trim):
            yield place, block[:, : max(0, last - place)]

    def _placed(self, start: float | None, trim: float) -> Iterator[tuple[int, Block]]:
        """Blocks at the stream's rate, each with its place: samples from the beginning that was asked for.

        Timestamps count at the beginning and after a gap; between, samples do, which are exact.
        """
        stereo, place, due = Stereo(self._rate), 0, None
        for frame in self._frames():
            time = frame.time if frame.time is not None else due or start or 0.0
            start = time if start is None else start
            if due is None or abs(time - due) > _LEEWAY:
                for block in stereo.flush():
                    yield place, block
                place, due = round((time - start - trim) * self._rate), time
            due += frame.samples / max(1, frame.sample_rate)
            for block in stereo.push(frame):
                yield place, block
                place += block.shape[1]
        for block in stereo.flush():
            yield place, block
            place += block.shape[1]

    def _frames(self) -> Iterator[av.AudioFrame]:
        """All that can be decoded; damaged packets are passed over. Raises Unreadable if it is nothing."""
        count = in_a_row = 0
        for packet in self._packets():
            try:
                frames = self._stream.decode(packet)
                in_a_row = 0
            except av.error.FFmpegError:
                in_a_row += 1
                if in_a_row >= _MAX_ERRORS:
                    break
                continue
            count += len(frames)
            yield from frames
        if count == 0:
            raise Unreadable(f"{shown(self._path)} is damaged: none of its sound can be decoded")

    def _packets(self) -> Iterator[av.Packet[av.AudioStream]]:
        try:
            yield from self._container.demux(self._stream)
        except (av.error.FFmpegError, OSError):  # the end is missing: what came is what there is
            return


def _end(container: av.container.InputContainer, stream: av.AudioStream) -> float | None:
    """When a sound ends, in seconds on the container's clock, where the header knows it to the sample."""
    if "mp4" not in container.format.name.split(",") or not stream.duration or stream.time_base is None:
        return None
    return float(((stream.start_time or 0) + stream.duration) * stream.time_base)


def _chosen(path: Path, container: av.container.InputContainer, index: int | None) -> av.AudioStream:
    sounds = [stream for stream in container.streams if stream.type == "audio"]
    if index is not None:
        sounds = [stream for stream in sounds if stream.index == index]
    if not sounds:
        raise Unsuitable(f"{shown(path)} has no audio stream" + ("" if index is None else f" {index}"))
    known = [s for s in sounds if s.codec_context is not None and cast("Any", s).codec_context.sample_rate]
    if not known:
        raise Unreadable(f"{shown(path)} has sound in a codec that cannot be decoded")
    first = next((stream for stream in known if stream.disposition & Disposition.default), known[0])
    return cast("av.AudioStream", first)


def _gapless(placed: Iterator[tuple[int, Block]], enough: int) -> Iterator[Block]:
    """Blocks one after another from sample 0 on: silence in gaps, nothing twice; until there is `enough`."""
    at = 0
    for place, block in placed:
        while at < min(place, enough):
            silence = min(min(place, enough) - at, RATE)
            yield np.zeros((CHANNELS, silence), np.float32)
            at += silence
        rest = block[:, at - place :] if place < at else block
        if rest.shape[1] and at < enough:
            yield np.where(np.abs(rest) <= _ABSURD, rest, np.float32(0))  # what is no number is silent, too
            at += rest.shape[1]
        if at >= enough:
            return


def _written(
    blocks: Iterator[Block], samples: int, file: BinaryIO, stop: Callable[[], bool]
) -> tuple[float | None, int]:
    """Write at most `samples` samples; returns their loudness and how many they were."""
    meter, done = Meter(RATE), 0
    for block in blocks:
        if stop():
            raise FFmpegStopped("the decoding of a sound was stopped")
        piece = block[:, : samples - done]
        meter.add(np.ascontiguousarray(piece))
        file.write(np.ascontiguousarray(piece.T).data)
        done += piece.shape[1]
    file.truncate(samples * _FRAME_BYTES)  # the rest is silence
    file.flush()
    lufs = meter.result().integrated
    return (lufs if math.isfinite(lufs) else None), done


def _softened(target: Path, heard: int, once: int, wanted: int) -> None:
    """Fade where silence or another pass follows what is heard, and where each pass begins."""
    edge = min(round(EDGE * RATE), heard // 2)
    if heard == wanted or edge == 0:
        return
    frames = np.memmap(target, np.float32, "r+", shape=(once, CHANNELS))
    rise = np.sin((np.arange(edge, dtype=np.float32) + 0.5) * (np.pi / 2 / edge))[:, None].astype(np.float32)
    frames[heard - edge : heard] *= rise[::-1]
    if once < wanted:
        frames[:edge] *= rise
    frames.flush()


def _repeated(target: Path, file: BinaryIO, once: int, wanted: int, stop: Callable[[], bool]) -> None:
    """Write the first `once` samples over and over, a second at a time."""
    frames = np.memmap(target, np.float32, "r", shape=(once, CHANNELS))
    file.seek(once * _FRAME_BYTES)
    for first in range(once, wanted, RATE):
        if stop():
            raise FFmpegStopped("the decoding of a sound was stopped")
        file.write(frames[np.arange(first, min(first + RATE, wanted)) % once].data)
