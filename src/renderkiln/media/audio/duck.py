"""How far the music steps back while someone speaks."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from renderkiln.media.audio.source import MILLISECOND, RATE
from renderkiln.media.audio.timeline import Clip

Gains = npt.NDArray[np.float32]
Span = tuple[int, int]  # milliseconds

_WINDOW = RATE // 100  # samples: the voice's envelope has a value every 10 ms
_PER_READ = 100  # windows
_BELOW_SPEECH = 10 ** (-30 / 10)  # of power: softer than this against the louder syllables is a pause
_FLOOR = 10 ** (-60 / 10)  # of power: nobody speaks below −60 dBFS


class Duck:
    """A gain that is down by `depth_db` while the voice in `clips` speaks.

    It looks ahead: it begins to fall `attack` seconds before the first sound, is down when that comes, stays
    down in pauses shorter than `hold`, and rises over `release` seconds. Both ways are raised cosines of
    decibels. What is speech is told from the voice's own level, since clips may contain long silences.
    Raises ValueError and Unreadable.
    """

    def __init__(
        self,
        clips: Iterable[Clip],
        depth_db: float = -8.0,
        *,
        attack: float = 0.25,
        release: float = 0.9,
        hold: float = 1.2,
    ) -> None:
        if not (math.isfinite(depth_db) and depth_db <= 0):
            raise ValueError(f"ducking by {depth_db:g} dB makes nothing softer: say 0 dB or less")
        if min(attack, release) < 0.01 or hold < attack + release:
            raise ValueError("ducking needs 10 ms to fall and to rise, and a hold that is longer than both")
        self._depth = depth_db
        self._attack, self._release = round(attack * 1000), round(release * 1000)
        self.phrases = list(_joined(_spoken(clips), round(hold * 1000)))
        self._ends = [end + self._release for _, end in self.phrases]

    def gains(self, first: int, count: int) -> Gains:
        """Linear gains at the milliseconds first, first + 1, … , to be joined by straight lines."""
        depth = np.zeros(count)
        for start, end in self.phrases[bisect_left(self._ends, first) :]:
            if start - self._attack >= first + count:
                break
            if start <= first and first + count <= end:
                return np.full(count, 10 ** (self._depth / 20), np.float32)
            at = np.arange(first, first + count)
            falling, rising = (at - start) / self._attack + 1, (end - at) / self._release + 1
            np.maximum(depth, np.clip(np.minimum(falling, rising), 0, 1), out=depth)
        if not depth.any():
            return np.ones(count, np.float32)
        raised = 0.5 - 0.5 * np.cos(np.pi * depth)
        return np.power(10, self._depth / 20 * raised).astype(np.float32)


def _spoken(clips: Iterable[Clip]) -> Iterator[Span]:
    """The windows in which the voice is audible."""
    ordered = sorted(clips, key=lambda clip: clip.start)
    envelopes = [_envelope(clip) for clip in ordered]
    powers = np.concatenate([*envelopes, np.zeros(0)])
    audible = powers[powers > _FLOOR]
    threshold = max(_FLOOR, _BELOW_SPEECH * float(np.percentile(audible, 95))) if len(audible) else math.inf
    for clip, envelope in zip(ordered, envelopes, strict=True):
        for window in np.flatnonzero(envelope > threshold):
            start = clip.start + int(window) * _WINDOW
            yield start // MILLISECOND, -(-min(start + _WINDOW, clip.end) // MILLISECOND)


def _envelope(clip: Clip) -> npt.NDArray[np.float64]:
    """Mean square of each window."""
    sound, step = clip.sound(), _WINDOW * _PER_READ
    pieces = [sound[start : start + step] for start in range(0, len(sound), step)]
    return np.concatenate([_powers(piece) for piece in pieces])


def _powers(piece: Gains) -> npt.NDArray[np.float64]:
    whole = np.pad(piece, (0, -len(piece) % _WINDOW)).reshape(-1, _WINDOW)
    return np.einsum("ij,ij->i", whole, whole).astype(np.float64) / _WINDOW


def _joined(spans: Iterable[Span], hold: int) -> Iterator[Span]:
    """Spans in order, those less than `hold` apart made one."""
    open_: Span | None = None
    for start, end in spans:
        if open_ is not None and start - open_[1] >= hold:
            yield open_
            open_ = None
        open_ = (open_[0] if open_ else start, end)
    if open_ is not None:
        yield open_
