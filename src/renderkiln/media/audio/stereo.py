"""Decoded audio of any kind as blocks of stereo float32."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import av
import numpy as np
import numpy.typing as npt

Block = npt.NDArray[np.float32]

CHANNELS = 2


class Stereo:
    """Turns frames into arrays of shape (2, n) at `rate`, a second each; the last one is shorter.

    A stream may change its rate, layout or format on the way. More than two channels are mixed down so that
    loud ones cannot clip. Mono goes to both channels as it is; FFmpeg's own way makes it 3 dB softer.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._resampler: av.AudioResampler | None = None
        self._setup: tuple[Any, ...] = ()

    def push(self, frame: av.AudioFrame) -> Iterator[Block]:
        """The blocks that `frame` completes."""
        if frame.sample_rate <= 0 or frame.samples == 0:
            return
        setup = (frame.sample_rate, frame.layout.name, frame.format.name, frame.time_base)
        if setup != self._setup:
            yield from self.flush()
            self._resampler, self._setup = self._resampler_for(frame), setup
        yield from self._through(frame)

    def flush(self) -> Iterator[Block]:
        """What is left."""
        yield from self._through(None)
        self._resampler, self._setup = None, ()

    def _resampler_for(self, frame: av.AudioFrame) -> av.AudioResampler:
        return av.AudioResampler(
            format="fltp",
            layout="mono" if frame.layout.nb_channels == 1 else "stereo",
            rate=self._rate,
            frame_size=self._rate,
            options={"rematrix_maxval": "1.0"},
        )

    def _through(self, frame: av.AudioFrame | None) -> Iterator[Block]:
        if self._resampler is None:
            return
        for out in self._resampler.resample(frame):
            block = cast("Block", out.to_ndarray())
            yield block if len(block) == CHANNELS else np.repeat(block, CHANNELS, axis=0)
