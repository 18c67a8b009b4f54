"""Ctrl-C and SIGTERM: the first stops cleanly, the second at once."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

from renderkiln.cli.words import say


class Interruption:
    """While this context is open, a signal sets `stop` instead of ending the process."""

    def __init__(self, words: str = "stopping (once more to stop at once)") -> None:
        self._words = words
        self.stop = threading.Event()
        self.received: int | None = None
        self._before: dict[int, Any] = {}

    @property
    def status(self) -> int | None:
        """The exit status that the signal asks for: 130 for Ctrl-C, 143 for SIGTERM; None without one."""
        return None if self.received is None else 128 + self.received

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._receive)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        if self.received is not None:
            # Nothing is lost: files get their final name in one step, and stages die with this process.
            os._exit(128 + number)
        self.received = number
        # A handler runs in the main thread, which may hold the event's own lock at this moment.
        threading.Thread(target=self._stop, daemon=True).start()

    def _stop(self) -> None:
        self.stop.set()
        say(self._words)
