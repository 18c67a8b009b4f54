"""Pieces of sound, each at its time with its gain, coming and going gently; they may overlap."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from renderkiln.media.audio.excerpt import EDGE
from renderkiln.media.audio.source import RATE, Block
from renderkiln.media.container import shown
from renderkiln.media.errors import Unreadable

_SAMPLE = 4  # bytes


@dataclass(frozen=True)
class Piece:
    """`samples` samples of a file of raw float32 at `RATE`, to be heard from sample `start` on.

    With two `channels` the file is interleaved; one is heard in both. Fades are in seconds, at least `EDGE`.
    They are raised cosines of power: where two pieces cross-fade, their powers add up to a constant.
    Raises ValueError.
    """

    start: int
    path: Path
    samples: int
    channels: Literal[1, 2] = 2
    gain_db: float = 0.0
    fade_in: float = 0.0
    fade_out: float = 0.0

    def __post_init__(self) -> None:
        if self.start < 0 or self.samples <= 0:
            raise ValueError(f"{shown(self.path)}: no piece has {self.samples} samples from {self.start}")
        finite = all(map(math.isfinite, (self.gain_db, self.fade_in, self.fade_out)))
        if not finite or min(self.fade_in, self.fade_out) < 0:
            raise ValueError("a piece needs a gain in decibels and fades in seconds, 0 or more")

    @property
    def end(self) -> int:
        """The sample after its last."""
        return self.start + self.samples

    def sound(self) -> Block:
        """All of it, of shape (channels, samples), mapped and not read. Raises Unreadable."""
        try:
            if self.path.stat().st_size < self.samples * self.channels * _SAMPLE:
                raise Unreadable(f"{shown(self.path)} has not the {self.samples} samples it should")
            frames = np.memmap(self.path, np.float32, "r", shape=(self.samples, self.channels))
        except OSError as error:
            raise Unreadable(f"{shown(self.path)} cannot be read: {error.strerror}") from None
        return np.asarray(frames).T

    def gains(self, first: int, last: int) -> npt.NDArray[np.float32]:
        """Linear gains of its samples from `first` to before `last`."""
        rise, fall = (max(seconds, EDGE) * RATE for seconds in (self.fade_in, self.fade_out))
        gains = np.full(last - first, 10 ** (self.gain_db / 20), np.float64)
        middles = np.arange(first, last, dtype=np.float64) + 0.5
        if first < rise:
            gains *= _quarter(middles / rise)
        if last > self.samples - fall:
            gains *= _quarter((self.samples - middles) / fall)
        return gains.astype(np.float32)


class Track:
    """A `Source` of pieces that add up, and silence where there is none. Raises Unreadable."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._waiting = sorted(pieces, key=lambda piece: piece.start, reverse=True)
        for piece in self._waiting:
            piece.sound()
        self._playing: list[tuple[Piece, Block]] = []
        self._at = 0

    def read(self, n: int) -> Block:
        """The next `n` samples, of shape (2, n)."""
        out, end = np.zeros((2, n), np.float32), self._at + n
        while self._waiting and self._waiting[-1].start < end:
            piece = self._waiting.pop()
            self._playing.append((piece, piece.sound()))
        for piece, sound in self._playing:
            first, last = max(self._at, piece.start), min(end, piece.end)
            from_, to = first - piece.start, last - piece.start
            out[:, first - self._at : last - self._at] += sound[:, from_:to] * piece.gains(from_, to)
        self._playing = [each for each in self._playing if each[0].end > end]
        self._at = end
        return out


def _quarter(progress: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The quarter of a sine from 0 at 0 to 1 at 1."""
    return np.asarray(np.sin(np.pi / 2 * np.clip(progress, 0, 1)))
