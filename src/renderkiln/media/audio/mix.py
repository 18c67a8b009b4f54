"""Layers of sound, each with its gain, added up."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from renderkiln.media.audio.duck import Duck, Gains
from renderkiln.media.audio.source import BLOCK, MILLISECOND, RATE, Block, Source

kernel = njit(cache=True, nogil=True, fastmath=True)

_AT_ONCE = 5  # blocks: half the cost of one at a time, and the layers still fit the cache
_ENDING = 0.01  # seconds: no layer ends with a click, whatever its fade


@dataclass(frozen=True)
class Layer:
    """A source and how it is heard. Fades are in seconds, by raised cosines from the start and to the end."""

    source: Source
    gain_db: float = 0.0
    fade_in: float = 0.0
    fade_out: float = 0.0
    ducked: bool = False

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.gain_db, self.fade_in, self.fade_out))) or self._fades_back():
            raise ValueError("a layer needs a gain in decibels and fades in seconds, 0 or more")

    def _fades_back(self) -> bool:
        return min(self.fade_in, self.fade_out) < 0


class Mix:
    """`samples` samples of all layers together; those that are `ducked` step back as `duck` says.

    Nothing is clipped or limited: that is for mastering. The sources are read once.
    """

    def __init__(self, layers: Sequence[Layer], samples: int, duck: Duck | None = None) -> None:
        self._layers = layers
        self._samples = samples
        self._duck = duck

    def blocks(self, size: int = BLOCK) -> Iterator[Block]:
        """All of it, in blocks of shape (2, `size`), the last one perhaps shorter."""
        step = size * _AT_ONCE
        for start in range(0, self._samples, step):
            piece = self._piece(start, min(step, self._samples - start))
            for first in range(0, piece.shape[1], size):
                yield np.ascontiguousarray(piece[:, first : first + size])

    def _piece(self, start: int, samples: int) -> Block:
        piece = np.zeros((2, samples), np.float32)
        for layer in self._layers:
            sound = layer.source.read(samples)
            _add(piece, sound, self._gains(layer, start, samples), start % MILLISECOND)
        return piece

    def _gains(self, layer: Layer, start: int, samples: int) -> Gains:
        """A gain for each millisecond that the samples touch, and one more to end on."""
        first = start // MILLISECOND
        count = (start + samples - 1) // MILLISECOND - first + 2
        gains = np.full(count, 10 ** (layer.gain_db / 20), np.float32)
        if self._duck is not None and layer.ducked:
            gains *= self._duck.gains(first, count)
        at, end = first / 1000, self._samples / RATE
        if at < layer.fade_in:
            gains *= _raised((first + np.arange(count)) / 1000 / layer.fade_in)
        fall = max(layer.fade_out, _ENDING)
        if at + count / 1000 > end - fall:
            gains *= _raised((end - (first + np.arange(count)) / 1000) / fall)
        return gains


def _raised(progress: npt.NDArray[np.floating]) -> Gains:
    """The raised cosine from 0 at 0 to 1 at 1."""
    return (0.5 - 0.5 * np.cos(np.pi * np.clip(progress, 0, 1))).astype(np.float32)


@kernel
def _add(out: Block, sound: Block, gains: Gains, offset: int) -> None:
    """Add `sound`, its gain on straight lines between milliseconds; `out` begins `offset` into one."""
    for side in range(2):
        start, step = -offset, 0
        while start < out.shape[1]:
            begin, end = max(start, 0), min(start + 48, out.shape[1])
            slope = (gains[step + 1] - gains[step]) * np.float32(1 / 48)
            gain = gains[step] + slope * np.float32(begin - start)
            into, piece = out[side, begin:end], sound[side, begin:end]  # slices are what is vectorised
            for i in range(end - begin):
                into[i] += piece[i] * (gain + slope * np.float32(np.int32(i)))
            start += 48
            step += 1
