"""Blocks of sound into a file: MP3 by LAME, everything else by FFmpeg's libraries.

The same blocks give the same bytes, and the file decodes to exactly as many samples as went in. Encoders
work without Python's lock: one thread can encode while another masters.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import av
import lameenc
import numpy as np
import numpy.typing as npt
from av.stream import Disposition

from renderkiln.media.audio.encodings import CONTAINERS, Encoding, Format, Quality, encoding
from renderkiln.media.audio.id3 import id3
from renderkiln.media.audio.mp3 import frame_bytes, info_frame
from renderkiln.media.audio.stereo import Block
from renderkiln.media.audio.tags import Chapter, Cover, Tags, read_cover
from renderkiln.media.errors import Unsuitable

RATE = 48_000
# q2 costs 1.6 times as much, q3 a fifth more, for noise that is lower by no more than 1 dB in any band up to
# 16 kHz; q7, at half the cost, has up to 2 dB more of it above 9 kHz
_LAME_QUALITY = 5
_SAMPLE_FORMATS = {
    ("pcm_s16le", 16): "s16",
    ("pcm_s24le", 24): "s32",
    ("flac", 16): "s16",
    ("flac", 24): "s32",
    ("aac", 0): "fltp",
    ("libopus", 0): "flt",
}
# A third of the cost of the other coder, with less noise below 6 kHz, where speech is, and more above
_CODEC_OPTIONS = {"aac": {"aac_coder": "fast"}}
_MUXER_OPTIONS = {
    # The edit list counts in the movie's time scale: by default milliseconds, up to 24 samples off
    "mp4": {"brand": "M4A ", "movie_timescale": str(RATE), "movflags": "+faststart"},
    "wav": {"rf64": "auto"},  # above 4 GiB
}
_MILLISECOND = Fraction(1, 1000)


@dataclass(frozen=True)
class Encoded:
    """What was written: `samples` per channel went in, `bytes` is the file's size."""

    path: Path
    samples: int
    bytes: int

    @property
    def seconds(self) -> float:
        """Exact duration."""
        return self.samples / RATE


class _Writer(Protocol):
    def write(self, block: Block, start: int) -> None: ...
    def finish(self, samples: int) -> None: ...
    def close(self) -> None: ...


def encode(
    blocks: Iterable[Block],
    path: Path,
    format: Format,
    quality: Quality = "standard",
    tags: Tags | None = None,
    on_samples: Callable[[int], None] = lambda _: None,
) -> Encoded:
    """Write all `blocks`, float32 of shape (2, n) at 48 kHz, calling `on_samples` with the samples so far.

    Raises OSError when the file cannot be written, Unreadable or Unsuitable for a bad cover or no samples.
    """
    with Encoder(path, format, quality, tags) as encoder:
        for block in blocks:
            encoder.write(block)
            on_samples(encoder.samples)
        return encoder.finish()


class Encoder:
    """A file being written, to be used as a context manager; left without `finish` it removes the file.

    Any thread may call it, one at a time.
    """

    def __init__(self, path: Path, format: Format, quality: Quality = "standard", tags: Tags | None = None):
        self._path = path
        self.samples = 0
        self._finished = False
        tags = tags or Tags()
        cover = read_cover(tags.cover) if tags.cover and format != "wav" else None
        chosen = encoding(format, quality)
        self._writer: _Writer = (
            _Lame(path, chosen, tags, cover)
            if format == "mp3"
            else _Libav(path, CONTAINERS[format].muxer, chosen, tags, cover)
        )

    def write(self, block: Block) -> None:
        """Encode the next samples, float32 of shape (2, n) at 48 kHz, n of any size. Raises OSError."""
        if block.shape[1]:
            self._writer.write(block, self.samples)
            self.samples += block.shape[1]

    def finish(self) -> Encoded:
        """Write what is held back and the headers. Raises OSError, or Unsuitable when there was no sample."""
        if self.samples == 0:
            raise Unsuitable("there is nothing to encode: the track has no samples")
        self._writer.finish(self.samples)
        self._finished = True
        return Encoded(self._path, self.samples, self._path.stat().st_size)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._writer.close()
        finally:
            if not self._finished:
                self._path.unlink(missing_ok=True)


class _Lame:
    """ID3 tag, a frame's worth of room, LAME's frames; in the end the room is filled with the Info tag."""

    def __init__(self, path: Path, chosen: Encoding, tags: Tags, cover: Cover | None) -> None:
        self._kbps = chosen.kbps
        self._lame = lameenc.Encoder()
        self._lame.set_in_sample_rate(RATE)
        self._lame.set_out_sample_rate(RATE)  # not left to LAME, which lowers it at low bit rates
        self._lame.set_channels(2)
        self._lame.set_bit_rate(chosen.kbps)
        self._lame.set_quality(_LAME_QUALITY)
        self._lame.silence()
        self._first = b""
        self._bytes = self._crc = 0
        self._file = path.open("wb")
        self._info_at = self._file.write(id3(tags, cover))
        self._file.write(bytes(frame_bytes(self._kbps)))

    def write(self, block: Block, start: int) -> None:
        from renderkiln.media.audio.dither import to_int16

        self._add(bytes(self._lame.encode(to_int16(block, start).tobytes())))

    def finish(self, samples: int) -> None:
        self._add(bytes(self._lame.flush()))
        self._file.seek(self._info_at)
        self._file.write(info_frame(self._first, self._kbps, samples, self._bytes, self._crc))
        self._file.close()

    def close(self) -> None:
        self._file.close()

    def _add(self, frames: bytes) -> None:
        from renderkiln.media.audio.crc import crc16

        self._first = self._first or frames[:4]
        self._bytes += len(frames)
        self._crc = crc16(frames, self._crc)
        self._file.write(frames)


class _Libav:
    """One audio stream, and the cover as an attached picture where the container has such a thing."""

    def __init__(self, path: Path, muxer: str, chosen: Encoding, tags: Tags, cover: Cover | None) -> None:
        self._bits = chosen.bits
        options = {"fflags": "+bitexact", **_MUXER_OPTIONS.get(muxer, {})}
        self._container = av.open(f"file:{path}", "w", format=muxer, options=options)
        try:
            self._stream = self._audio_stream(chosen)
            self._container.metadata.update(tags.values())
            if (language := tags.language_code()) != "und":
                self._stream.metadata["language"] = self._container.metadata["language"] = language
            self._add_chapters(list(tags.clean_chapters()), muxer)
            self._picture = self._add_cover(cover, muxer)
        except BaseException:
            self._container.close()
            raise

    def write(self, block: Block, start: int) -> None:
        frame = self._frame(block, start)
        frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
        self._mux(frame)

    def finish(self, samples: int) -> None:  # noqa: ARG002 - they know it from the frames
        self._mux(None)
        self._container.close()

    def close(self) -> None:
        self._container.close()

    def _mux(self, frame: av.AudioFrame | None) -> None:
        packets = self._stream.encode(frame)
        if self._picture is not None:
            packets, self._picture = [self._picture, *packets], None
        self._container.mux(packets)

    def _frame(self, block: Block, start: int) -> av.AudioFrame:
        match self._stream.codec_context.format.name:
            case "s16":
                from renderkiln.media.audio.dither import to_int16

                return _interleaved(to_int16(block, start), "s16")
            case "s32":
                from renderkiln.media.audio.dither import to_int24

                return _interleaved(to_int24(block), "s32")
            case "flt":
                return _interleaved(np.ascontiguousarray(block.T), "flt")
        return av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format="fltp", layout="stereo")

    def _audio_stream(self, chosen: Encoding) -> av.AudioStream:
        stream = self._container.add_stream(chosen.codec, rate=RATE, layout="stereo")
        assert isinstance(stream, av.AudioStream)
        context = stream.codec_context
        context.format = _SAMPLE_FORMATS[chosen.codec, chosen.bits]
        context.options = {"flags": "+bitexact", **_CODEC_OPTIONS.get(chosen.codec, {})}
        if chosen.kbps:
            context.bit_rate = chosen.kbps * 1000
        return stream

    def _add_chapters(self, chapters: list[Chapter], muxer: str) -> None:
        """Into FLAC and Opus as comments (wiki.xiph.org/Chapter_Extension); for FLAC FFmpeg would not."""
        if muxer == "mp4":
            self._container.set_chapters([_av_chapter(n, chapter) for n, chapter in enumerate(chapters)])
        elif muxer != "wav":
            for number, chapter in enumerate(chapters):
                name = f"CHAPTER{number:03}"
                self._container.metadata[name] = _clock(chapter.start)
                self._container.metadata[f"{name}NAME"] = chapter.title

    def _add_cover(self, cover: Cover | None, muxer: str) -> av.Packet[Any] | None:
        """The packet to write before the sound. Ogg has no attached pictures: there it is a comment."""
        if cover is None:
            return None
        if muxer == "ogg":
            block = base64.b64encode(cover.flac_block()).decode()
            self._container.metadata["METADATA_BLOCK_PICTURE"] = block
            return None
        stream = self._container.add_mux_stream(cover.codec, width=cover.width, height=cover.height)
        stream.disposition = Disposition.attached_pic
        packet = av.Packet(cover.data)
        packet.stream, packet.pts, packet.dts = stream, 0, 0
        return packet


def _interleaved(samples: npt.NDArray[Any], format: str) -> av.AudioFrame:
    return av.AudioFrame.from_ndarray(samples.reshape(1, -1), format=format, layout="stereo")


def _av_chapter(number: int, chapter: Chapter) -> Any:
    return {
        "id": number,
        "start": round(chapter.start * 1000),
        "end": round(chapter.end * 1000),
        "time_base": _MILLISECOND,
        "metadata": {"title": chapter.title},
    }


def _clock(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest / 1000:06.3f}"
