"""Clears up from a thread of its own, when it begins and then every hour."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Self

from renderkiln.domain.clock import Clock
from renderkiln.engine.retention import Retention

_log = logging.getLogger(__name__)

_EVERY = 3600.0  # seconds


class Caretaker:
    """A context manager. What goes wrong while it clears up is logged, and tried again the next time.

    `retention` is asked for in its own thread: whoever begins does not wait for it.
    """

    def __init__(self, retention: Callable[[], Retention], clock: Clock) -> None:
        self._retention, self._clock = retention, clock
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="caretaker", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while True:
            try:
                self._retention().sweep(self._over)
            except Exception:  # noqa: BLE001  nothing depends on it
                _log.warning("clearing up failed", exc_info=True)
            if not self._clock.sleep(_EVERY, self._over):
                return
