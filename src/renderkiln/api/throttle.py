"""How many requests a second one key may make: a token bucket for each."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

_MOST = 10_000  # buckets that are remembered


@dataclass
class Throttle:
    """Lets `rate` requests a second pass for each name, and twice as many at once after a rest."""

    rate: float
    clock: Callable[[], float] = time.monotonic
    _buckets: dict[str, tuple[float, float]] = field(default_factory=dict)  # tokens left, and when

    def wait(self, name: str) -> float:
        """Seconds until a request of this name may pass; 0: now, and it counts."""
        now, most = self.clock(), max(1.0, 2 * self.rate)
        left, then = self._buckets.pop(name, (most, now))
        left = min(most, left + (now - then) * self.rate)
        passes = left >= 1
        self._buckets[name] = (left - 1 if passes else left, now)  # the last one in: used last
        if len(self._buckets) > _MOST:
            self._buckets.pop(next(iter(self._buckets)))
        return 0.0 if passes else (1 - left) / self.rate
