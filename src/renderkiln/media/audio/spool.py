"""A mix on disk, with what mastering must know of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np
import numpy.typing as npt
from numba import njit

from renderkiln.media.audio.loudness import Energies, Weighting
from renderkiln.media.audio.source import MILLISECOND, RATE, Block
from renderkiln.media.container import shown
from renderkiln.media.errors import Unreadable, Unsuitable

kernel = njit(cache=True, nogil=True, fastmath=True)

ENERGY_MS = 5  # milliseconds: at 10, gain and loudness move too much within one to be multiplied
_ENERGY_HOP = ENERGY_MS * MILLISECOND
_FRAME = 8  # bytes: two float32


@dataclass(frozen=True)
class Spool:
    """`samples` samples in the file `path`: float32, interleaved, at `RATE`.

    Beside it are `path`.peaks, the sample peak of every millisecond (float32, of both channels, the last one
    perhaps of less), and `path`.energies, the K-weighted mean square of every whole `ENERGY_MS` (float64, the
    sum of both channels). Whoever named the path removes the three.
    """

    path: Path
    samples: int

    @classmethod
    def record(
        cls, path: Path, blocks: Iterable[Block], on_samples: Callable[[int], None] | None = None
    ) -> Self:
        """Write what streams past; `on_samples` hears how many samples there are so far.

        Raises Unsuitable when a sample is no number, and OSError.
        """
        with ExitStack() as stack:
            files = [stack.enter_context(file.open("wb")) for file in (path, _peaks(path), _energies(path))]
            recorder = _Recorder(*files)
            for block in blocks:
                recorder.add(block)
                if on_samples is not None:
                    on_samples(recorder.samples)
            recorder.finish()
        return cls(path, recorder.samples)

    @classmethod
    def open(cls, path: Path) -> Self:
        """What was recorded earlier. Raises Unreadable unless it is whole."""
        try:
            sizes = tuple(file.stat().st_size for file in (path, _peaks(path), _energies(path)))
        except OSError as error:
            raise Unreadable(f"the mix {shown(path)} cannot be read: {error.strerror}") from None
        spool = cls(path, sizes[0] // _FRAME)
        whole = spool.samples * _FRAME, spool.milliseconds * 4, spool.samples // _ENERGY_HOP * 8
        if sizes != whole:
            raise Unreadable(f"the mix {shown(path)} is not whole: its parts have {sizes} bytes")
        return spool

    @property
    def milliseconds(self) -> int:
        """How many have begun."""
        return -(-self.samples // MILLISECOND)

    def frames(self) -> Block:
        """All samples, of shape (samples, 2), mapped and not read."""
        return _mapped(self.path, np.float32, self.samples * 2).reshape(-1, 2)

    def peaks(self) -> Block:
        """Of each millisecond. The array may be changed; the file is not."""
        return _mapped(_peaks(self.path), np.float32, self.milliseconds)

    def energies(self) -> Energies:
        """Of each whole `ENERGY_MS`."""
        return _mapped(_energies(self.path), np.float64, self.samples // _ENERGY_HOP)


class _Recorder:
    def __init__(self, frames: BinaryIO, peaks: BinaryIO, energies: BinaryIO) -> None:
        self._frames, self._peaks, self._energies = frames, peaks, energies
        self._weighting = Weighting(RATE, _ENERGY_HOP)
        self._peak = np.zeros(1, np.float32)  # of the millisecond under way
        self.samples = 0

    def add(self, block: Block) -> None:
        energies = self._weighting.add(block)
        if not np.isfinite(energies).all():
            raise Unsuitable(f"the mix has a sample that is no number, after {self.samples / RATE:.1f} s")
        frames = np.empty((block.shape[1], 2), np.float32)
        peaks = np.empty(block.shape[1] // MILLISECOND + 1, np.float32)
        count = _interleave(block, frames, peaks, self._peak, self.samples % MILLISECOND)
        for file, array in (self._frames, frames), (self._peaks, peaks[:count]), (self._energies, energies):
            file.write(array.data)
        self.samples += block.shape[1]

    def finish(self) -> None:
        if self.samples % MILLISECOND:
            self._peaks.write(self._peak.data)


def _peaks(path: Path) -> Path:
    return path.with_name(f"{path.name}.peaks")


def _energies(path: Path) -> Path:
    return path.with_name(f"{path.name}.energies")


def _mapped(path: Path, kind: type[np.float32] | type[np.float64], count: int) -> npt.NDArray[Any]:
    """Copy on write, so that changes take memory only where they are."""
    if count == 0:  # nothing can be mapped
        return np.empty(0, kind)
    return np.asarray(np.memmap(path, kind, "c", shape=(count,)))


@kernel
def _interleave(block: Block, frames: Block, peaks: Block, unfinished: Block, filled: int) -> int:
    """Write frames, and the peak of each millisecond that ends; returns how many end.

    `filled` samples of the first one have gone by, with the peak `unfinished[0]`.
    """
    left, right = block[0], block[1]
    start, count, peak = 0, 0, unfinished[0]
    while start < block.shape[1]:
        end = min(block.shape[1], start + 48 - filled)
        for i in range(start, end):
            frames[i, 0] = left[i]
            frames[i, 1] = right[i]
            peak = max(peak, max(abs(left[i]), abs(right[i])))
        filled += end - start
        start = end
        if filled == 48:
            peaks[count] = peak
            count += 1
            peak, filled = np.float32(0.0), 0
    unfinished[0] = peak
    return count
