"""Time as a value: everything that waits or looks at the clock is given one, so that tests can move it."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """The time of day, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never go back, from an arbitrary start."""

    def sleep(self, seconds: float, stop: threading.Event | None = None) -> bool:
        """Wait; False if `stop` was set before the time was over."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float, stop: threading.Event | None = None) -> bool:
        return not (stop or threading.Event()).wait(seconds)
