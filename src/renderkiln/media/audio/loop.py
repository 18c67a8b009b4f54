"""A piece of music that plays for ever."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
import soxr

from renderkiln.media.audio.decode import MIN_SECONDS, AudioSource, open_audio
from renderkiln.media.audio.source import RATE, Block
from renderkiln.media.container import shown
from renderkiln.media.errors import Unsuitable

_RATES = range(8_000, 192_001)  # Hz: what lies beyond is no music, and FFmpeg may convert it
_INAUDIBLE = 1e-4  # −80 dBFS: above the dither of 16 bits and the ringing of MP3 around silence
_CHANNELS = 2


class Loop:
    """Music from a file, over and over; its end fades into its beginning, with equal power.

    Without the silence at its ends, and without its first `start` seconds. `crossfade` is in seconds and at
    most a quarter of the track. Decoded once, to nameless files in the folder `scratch` (384 kB a second)
    that are gone when the loop is; decoding stops after `enough` seconds, if no more of it will be heard.
    `facts` are those of the decoding. Raises ValueError, Unreadable, Unsuitable and OSError (no space).

    soxr resamples (HQ: −134 dB of distortion at 19 kHz, where the resampler of FFmpeg has −45 dB).
    """

    def __init__(
        self,
        path: Path,
        *,
        scratch: Path,
        crossfade: float = 4.0,
        start: float = 0.0,
        max_seconds: float | None = None,
        enough: float | None = None,
    ) -> None:
        if not (0 <= crossfade < math.inf and 0 <= start < math.inf):
            raise ValueError("a loop needs a crossfade and a start in seconds, 0 or more")
        wanted = None if enough is None else round((enough + crossfade) * RATE)
        with ExitStack() as stack:
            files = [stack.enter_context(tempfile.TemporaryFile(dir=scratch)) for _ in range(_CHANNELS)]
            with open_audio(path, max_seconds=max_seconds, rates=_RATES) as source:
                first, last = _decode(source, files, round(start * RATE), wanted)
                self.facts = source.facts
            if last == 0:
                raise Unsuitable(f"{shown(path)} cannot start at {start:g} s: it ends before")
            self._channels = [_mapped(file, first, last) for file in files]
        self._overlap = min(round(crossfade * RATE), (last - first) // 4)
        self._period = last - first - self._overlap
        self._at = 0

    @property
    def seconds(self) -> float:
        """From one beginning to the next."""
        return self._period / RATE

    def read(self, n: int) -> Block:
        """The next `n` samples, of shape (2, n)."""
        out = np.empty((_CHANNELS, n), np.float32)
        done = 0
        while done < n:
            done += self._read_piece(out[:, done:])
        return out

    def _read_piece(self, out: Block) -> int:
        """Fill `out` as far as there is a seam or no seam; how far that was."""
        place = self._at % self._period
        in_seam = place < self._overlap and self._at >= self._period
        count = min(out.shape[1], (self._overlap if in_seam else self._period) - place)
        for channel, into in zip(self._channels, out, strict=True):
            into[:count] = channel[place : place + count]
        if in_seam:
            angle = (np.arange(place, place + count) + 0.5) * (np.pi / 2 / self._overlap)
            rising, falling = np.sin(angle).astype(np.float32), np.cos(angle).astype(np.float32)
            for channel, into in zip(self._channels, out, strict=True):
                into[:count] *= rising
                into[:count] += falling * channel[self._period + place : self._period + place + count]
        self._at += count
        return count


def _decode(
    source: AudioSource, files: Sequence[IO[bytes]], skip: int, wanted: int | None
) -> tuple[int, int]:
    """Write both channels from sample `skip` on; returns where in the files the sound begins and ends."""
    first, last, length = None, 0, 0
    for block in _resampled(source):
        block, skip = block[:, skip:], max(0, skip - block.shape[1])
        audible = np.maximum(np.abs(block[0]), np.abs(block[1])) > _INAUDIBLE
        if audible.any():
            first = length + int(audible.argmax()) if first is None else first
            last = length + len(audible) - int(audible[::-1].argmax())
        for channel, file in zip(block, files, strict=True):
            file.write(channel.data)
        length += block.shape[1]
        if wanted is not None and first is not None and length - first >= wanted:
            break
    if first is None or last - first < MIN_SECONDS * RATE:  # as good as silent: nothing to go by
        return 0, length
    return first, last


def _resampled(source: AudioSource) -> Iterator[Block]:
    """The track at `RATE`: each channel by itself, so that nothing has to be interleaved."""
    if source.rate == RATE:
        yield from source.blocks()
        return
    sides = [
        soxr.ResampleStream(source.rate, RATE, 1, dtype="float32", quality="HQ") for _ in range(_CHANNELS)
    ]
    for block in source.blocks():
        yield np.stack([side.resample_chunk(channel) for side, channel in zip(sides, block, strict=True)])
    yield np.stack([side.resample_chunk(np.empty(0, np.float32), last=True) for side in sides])


def _mapped(file: IO[bytes], first: int, last: int) -> npt.NDArray[np.float32]:
    file.flush()
    return np.asarray(np.memmap(file, np.float32, "r", shape=(last,)))[first:]
