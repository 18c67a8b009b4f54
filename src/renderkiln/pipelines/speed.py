"""How fast frames come, and how long the rest will take."""

from __future__ import annotations

import time
from collections import deque

_WINDOW = 240  # frames that the speed is measured over
_SETTLED = 1.0  # seconds; before that, a speed is a guess


class Speed:
    """Counts frames of a film of `total` frames shown at `fps`; frames done earlier do not count as speed.

    `afterwards` is work still to come once the frames are done, as a share of the time that they take.
    """

    def __init__(self, done: int, total: int, fps: float, *, afterwards: float = 0.0) -> None:
        self.done, self.total = done, total
        self._fps, self._afterwards = fps, afterwards
        self._begun, self._before = time.monotonic(), done
        self._recent: deque[tuple[float, int]] = deque([(time.monotonic(), done)], maxlen=_WINDOW)

    def reached(self, done: int) -> None:
        """Note that `done` frames are done now."""
        self.done = done
        self._recent.append((time.monotonic(), done))

    def skip(self, frames: int) -> None:
        """Note that so many more frames were done before: they are no sign of speed."""
        self.done += frames
        self._before += frames
        self._recent = deque(((at, done + frames) for at, done in self._recent), maxlen=_WINDOW)

    @property
    def fraction(self) -> float:
        return self.done / self.total

    @property
    def average(self) -> float | None:
        """Frames per second from the first to now; None while that would be a guess."""
        took = time.monotonic() - self._begun
        return (self.done - self._before) / took if took >= _SETTLED and self.done > self._before else None

    @property
    def facts(self) -> dict[str, float | None]:
        """Frames per second, times real time, and the seconds left (None while that would be a guess)."""
        (first, before), (last, after) = self._recent[0], self._recent[-1]
        rate = (after - before) / max(last - first, 1e-6)
        left = self.total - self.done + self._afterwards * self.total
        known = last - first >= _SETTLED and rate > 0
        return {
            "frame": self.done,
            "frames": self.total,
            "fps": round(rate, 1),
            "speed": round(rate / self._fps, 2),
            "eta_seconds": round(left / rate, 1) if known else None,
        }
