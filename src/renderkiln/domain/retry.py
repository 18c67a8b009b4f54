"""How often and how soon a failed job is tried again."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Retry:
    """Exponential backoff: before attempt k + 1 wait `first * factor ** (k - 1)` seconds, at most `cap`.

    `jitter` is the largest relative change either way, so that many failed jobs do not come back at once.
    """

    attempts: int = 3
    first: float = 10.0
    factor: float = 2.0
    cap: float = 3600.0
    jitter: float = 0.0

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError("a job needs at least one attempt")
        if min(self.first, self.cap) < 0 or self.factor < 1 or not 0 <= self.jitter <= 1:
            raise ValueError("waits cannot be negative, factor is at least 1, jitter lies in 0 … 1")

    def delay(self, failed: int, rng: random.Random | None = None) -> float | None:
        """Seconds to wait after `failed` attempts have failed; None when none is left."""
        if failed >= self.attempts:
            return None
        wait = min(self.cap, self.first * self.factor ** (failed - 1))
        if self.jitter and rng is not None:
            wait *= 1 + self.jitter * rng.uniform(-1, 1)
        return min(wait, self.cap)
