"""Any audio as stereo float32, block by block, with what was wrong with it."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import numpy as np
import numpy.typing as npt
from av.stream import Discard

from renderkiln.media.audio.promise import mp3_seconds, wav_seconds
from renderkiln.media.audio.stereo import Block, Stereo
from renderkiln.media.container import open_container, shown, translated
from renderkiln.media.errors import Unreadable, Unsuitable

RATES = (44100, 48000)
MIN_SECONDS = 0.1
SILENCE = 10 ** (-60 / 20)  # peak
_FULL_SCALE = 32767 / 32768  # the highest 16-bit sample
_CLIP_RUN = 3  # samples at full scale in a row: one alone is a peak, three are a cut-off one
_ABSURD = 64.0  # +36 dBFS: no sound, but damage or integers called float
_FRAME = 2048  # samples: the longest that common codecs have
_PADDING = 2 * _FRAME
_MAX_ERRORS = 500  # packets in a row
# Demuxers whose stream duration is written in the file, not guessed from its size
_HONEST = ("ogg", "w64", "flac", "mov", "aiff", "caf", "au", "wv", "ape", "tta")


@dataclass(frozen=True)
class AudioWarning:
    """Something the user should know that does not stop the work."""

    code: str
    message: str


@dataclass(frozen=True)
class AudioFacts:
    """What was learned by decoding a whole track. `peak` is linear; 1.0 is full scale."""

    samples: int
    rate: int
    codec: str
    source_rate: int
    source_channels: int
    source_layout: str
    peak: float
    promised_seconds: float | None  # what the header said
    tags: Mapping[str, str]
    warnings: tuple[AudioWarning, ...]

    @property
    def seconds(self) -> float:
        """Exact duration."""
        return self.samples / self.rate

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**asdict(self), "seconds": self.seconds}


def open_audio(path: Path, *, max_seconds: float | None = None, rates: Container[int] = RATES) -> AudioSource:
    """Open the first audio stream of `path`, to be used as a context manager.

    A rate among `rates` is kept; every other becomes 48000. Raises Unreadable, or Unsuitable when there is no
    audio or more than `max_seconds` of it.
    """
    return AudioSource(path, max_seconds=max_seconds, rates=rates)


class AudioSource:
    """Decodes one track once. Memory stays bounded by one block, however long the track is."""

    def __init__(
        self, path: Path, *, max_seconds: float | None = None, rates: Container[int] = RATES
    ) -> None:
        self._path = path
        self._max_seconds = max_seconds
        self._container = open_container(path)
        try:
            self._stream = self._audio_stream()
            self.promised_seconds = self._promise()
            self._refuse_longer_than_allowed(self.promised_seconds or 0.0)
        except BaseException:
            self._container.close()
            raise
        context = self._stream.codec_context
        self.source_rate: int = context.sample_rate
        self.codec: str = context.codec.canonical_name
        self.rate: int = context.sample_rate if context.sample_rate in rates else 48000
        self._samples = 0
        self._peak = 0.0
        self._replaced = 0
        self._clipped = 0
        self._errors = 0
        self._ended = False

    def blocks(self) -> Iterator[Block]:
        """Blocks of shape (2, n) at `rate`, about a second each, with every sample finite.

        Raises Unsuitable when the track turns out shorter than 0.1 s or longer than allowed, and Unreadable
        when nothing of it can be decoded.
        """
        for raw in self._trimmed():
            block = self._clean(raw)
            self._samples += block.shape[1]
            self._refuse_longer_than_allowed(self._samples / self.rate)
            yield block
        self._ended = True
        if self._samples == 0 and (self._errors or self.promised_seconds):
            raise Unreadable(f"{shown(self._path)} is damaged: none of its audio can be decoded")
        seconds = self._samples / self.rate
        if seconds < MIN_SECONDS:
            raise Unsuitable(f"{shown(self._path)} is too short: {seconds:.3f} s, 0.1 s is needed")

    @property
    def facts(self) -> AudioFacts:
        """What was learned of what was decoded: of the whole track, when asked after the last block."""
        context = self._stream.codec_context
        return AudioFacts(
            samples=self._samples,
            rate=self.rate,
            codec=context.codec.canonical_name,
            source_rate=self.source_rate,
            source_channels=context.channels,
            source_layout=context.layout.name,
            peak=self._peak,
            promised_seconds=self.promised_seconds,
            tags=self._tags(),
            warnings=tuple(self._warnings()),
        )

    def close(self) -> None:
        """Give the file back."""
        self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _audio_stream(self) -> av.AudioStream:
        streams = self._container.streams
        if not streams.audio:
            raise Unsuitable(f"{shown(self._path)} has no audio stream")
        chosen = streams.audio[0]
        if chosen.codec_context is None or not chosen.codec_context.sample_rate:
            raise Unreadable(f"{shown(self._path)} has audio in a codec that cannot be decoded")
        for stream in streams:
            if stream.index != chosen.index:
                stream.discard = Discard.all
        return chosen

    def _promise(self) -> float | None:
        demuxer = self._container.format.name
        if demuxer == "mp3":
            return mp3_seconds(self._path)
        if demuxer == "wav":
            return wav_seconds(self._path)
        duration, unit = self._stream.duration, self._stream.time_base
        if demuxer.split(",")[0] not in _HONEST or duration is None or unit is None:
            return None
        return float(duration * unit)

    def _refuse_longer_than_allowed(self, seconds: float) -> None:
        if self._max_seconds is not None and seconds > self._max_seconds:
            raise Unsuitable(
                f"{shown(self._path)} is too long: at least {seconds / 3600:.2f} h of audio, "
                f"{self._max_seconds / 3600:g} h allowed"
            )

    def _packets(self) -> Iterator[av.Packet[av.AudioStream]]:
        try:
            yield from self._container.demux(self._stream)
        except (av.error.FFmpegError, OSError):  # the end is missing: what came is what there is
            self._errors += 1

    def _decoded(self) -> Iterator[av.AudioFrame]:
        in_a_row = 0
        for packet in self._packets():
            try:
                frames = self._stream.decode(packet)
                in_a_row = 0
            except av.error.FFmpegError:
                self._errors += 1
                in_a_row += 1
                if in_a_row >= _MAX_ERRORS:
                    return
                continue
            yield from frames

    def _trimmed(self) -> Iterator[Block]:
        """Without the padding at the end, which FFmpeg leaves on in mp4: a few frames of the codec."""
        held: list[Block] = []
        total = 0
        for block in self._resampled():
            held.append(block)
            total += block.shape[1]
            if len(held) > 2:
                yield held.pop(0)
        excess = total - round((self.promised_seconds or 0.0) * self.rate)
        padded = self._container.format.name.startswith("mov") and self.promised_seconds is not None
        keep = sum(block.shape[1] for block in held)
        if padded and 0 < excess <= _PADDING * self.rate / self.source_rate:
            keep -= excess
        for block in held:
            yield block[:, :keep]
            keep = max(0, keep - block.shape[1])

    def _resampled(self) -> Iterator[Block]:
        stereo = Stereo(self.rate)
        with translated(self._path):  # a layout or rate that no one can convert
            for frame in self._decoded():
                yield from stereo.push(frame)
            yield from stereo.flush()

    def _clean(self, block: Block) -> Block:
        """Replace what is not sound by silence; note peak and clipping."""
        magnitude = np.abs(block)
        peak = float(magnitude.max(initial=0.0))
        if not peak <= _ABSURD:  # also true for NaN
            wrong = ~(magnitude <= _ABSURD)
            block[wrong] = magnitude[wrong] = 0.0
            self._replaced += int(wrong.sum())
            peak = float(magnitude.max(initial=0.0))
        if peak >= _FULL_SCALE:
            self._clipped += sum(_runs(channel >= _FULL_SCALE) for channel in magnitude)
        self._peak = max(self._peak, peak)
        return block

    def _warnings(self) -> Iterator[AudioWarning]:
        seconds, promised = self._samples / self.rate, self.promised_seconds
        tolerance = max(0.05, _FRAME / self.source_rate)
        if promised is not None and self._ended and seconds < promised - tolerance:
            message = f"the file is cut off or damaged: {seconds:.1f} s of {promised:.1f} s could be decoded"
            yield AudioWarning("truncated", message)
        elif self._errors:
            yield AudioWarning("damaged", f"{self._errors} damaged packets of the audio were left out")
        if self._peak < SILENCE:
            yield AudioWarning("silent", "the track is silent (its peak is below -60 dBFS)")
        if self._replaced:
            yield AudioWarning(
                "not-a-number",
                f"{self._replaced} samples were no numbers or beyond any sound; they are silent now",
            )
        if self._clipped:
            yield AudioWarning("clipping", f"the audio clips in {self._clipped} places; it is left as it is")

    def _tags(self) -> dict[str, str]:
        tags = {**self._stream.metadata, **self._container.metadata}
        return {key.lower(): value for key, value in tags.items()}


def _runs(hot: npt.NDArray[np.bool_]) -> int:
    """How many stretches of `_CLIP_RUN` or more True values there are."""
    edges = np.flatnonzero(np.diff(hot.astype(np.int8), prepend=0, append=0))
    return int(np.sum(edges[1::2] - edges[::2] >= _CLIP_RUN))
