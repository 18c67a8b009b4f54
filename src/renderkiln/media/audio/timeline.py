"""Spoken pieces, each at its time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from renderkiln.media.audio.source import RATE, Block
from renderkiln.media.container import shown
from renderkiln.media.errors import Unreadable

_SAMPLE = 4  # bytes


@dataclass(frozen=True)
class Clip:
    """`samples` samples of a file of raw mono float32 at `RATE`, to be heard from sample `start` on."""

    start: int
    path: Path
    samples: int

    @property
    def end(self) -> int:
        """The sample after its last."""
        return self.start + self.samples

    def sound(self) -> npt.NDArray[np.float32]:
        """All of it, of shape (samples,), mapped and not read. Raises Unreadable."""
        try:
            if self.path.stat().st_size < self.samples * _SAMPLE:
                raise Unreadable(f"{shown(self.path)} has not the {self.samples} samples it should")
            return np.asarray(np.memmap(self.path, np.float32, "r", shape=(self.samples,)))
        except OSError as error:
            raise Unreadable(f"{shown(self.path)} cannot be read: {error.strerror}") from None


class Timeline:
    """Plays clips in both channels alike, so that they stay in the middle; silence between and after them.

    Raises ValueError when clips overlap, begin before the start or are empty, and Unreadable when the file of
    one is missing or too short.
    """

    def __init__(self, clips: Iterable[Clip]) -> None:
        self.clips = sorted(clips, key=lambda clip: clip.start)
        for clip in self.clips:
            if clip.start < 0 or clip.samples <= 0:
                raise ValueError(f"{shown(clip.path)}: no clip has {clip.samples} samples from {clip.start}")
            clip.sound()
        for earlier, later in pairwise(self.clips):
            if later.start < earlier.end:
                raise ValueError(
                    f"{shown(later.path)} begins at {later.start / RATE:.3f} s, while {shown(earlier.path)} "
                    f"is still heard until {earlier.end / RATE:.3f} s"
                )
        self._at = 0
        self._next = 0  # clip
        self._sound: npt.NDArray[np.float32] | None = None

    @property
    def end(self) -> int:
        """The sample after the last clip's last; 0 without clips."""
        return self.clips[-1].end if self.clips else 0

    def active(self, first: int, last: int) -> bool:
        """Whether any clip has samples in [first, last)."""
        return any(clip.start < last and clip.end > first for clip in self.clips)

    def read(self, n: int) -> Block:
        """The next `n` samples, of shape (2, n)."""
        out = np.zeros((2, n), np.float32)
        end = self._at + n
        while self._next < len(self.clips) and (clip := self.clips[self._next]).start < end:
            if self._sound is None:
                self._sound = clip.sound()
            first, last = max(self._at, clip.start), min(end, clip.end)
            out[:, first - self._at : last - self._at] = self._sound[first - clip.start : last - clip.start]
            if last < clip.end:
                break
            self._next, self._sound = self._next + 1, None
        self._at = end
        return out
