"""What the pictures hear: one record of audio features per video frame.

This file defines the record and how it is stored; `spectrum` computes it.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

BANDS = 48
WAVE_POINTS = 256

RECORD = np.dtype(
    [
        ("bands", np.float32, (BANDS,)),  # log-spaced 30 Hz – 14 kHz, attack/release smoothed, 0 … 1.2
        ("wave", np.int16, (WAVE_POINTS,)),  # the mono wave around the frame's instant, full scale 32767
        ("low", np.float32),  # mean of the bass bands, 0 … 1.2
        ("mid", np.float32),
        ("high", np.float32),
        ("onset", np.float32),  # 0 … 1.5, jumps at an onset and decays
        ("rms", np.float32),  # loudness over about a second, relative to the loud parts of the track, 0 … 1.3
        ("phase", np.float64),  # integrated energy in seconds-like units, strictly increasing: drives motion
    ]
)


@dataclass(frozen=True)
class Features:
    """`records` has shape (frames,) and dtype `RECORD`; it is usually a read-only memory map."""

    fps: Fraction
    records: npt.NDArray[Any]

    def __len__(self) -> int:
        return len(self.records)

    def track(self, field: str) -> npt.NDArray[Any]:
        """One scalar field over all frames as a contiguous array."""
        return np.ascontiguousarray(self.records[field])

    @classmethod
    def load(cls, path: Path, fps: Fraction) -> Features:
        """Map a stored feature file; memory stays flat however long the track is."""
        return cls(fps, np.load(path, mmap_mode="r"))

    def let_go(self) -> None:
        """Give back the memory of records read so far; they are read from the file again when needed.

        The kernel would keep every page it has read in our name: 60 MB per hour of film.
        """
        if isinstance(self.records, np.memmap):
            self.records._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]  # numpy names no other way
