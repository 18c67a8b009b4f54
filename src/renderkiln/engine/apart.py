"""Waits for something that may never answer, and hears a stop all the same."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from renderkiln.domain.errors import Stopped
from renderkiln.storage.errors import Unavailable

T = TypeVar("T")
Stop = Callable[[], bool]

_LOOK = 0.1  # seconds between two looks


def apart(work: Callable[[Stop], T], stop: Stop, silence: float) -> T:
    """What `work` returns or raises; it runs in a thread of its own.

    It is given what it asks whether to stop. Asking is also its sign of life: one that has not asked for
    `silence` seconds raises Unavailable here. Raises Stopped soon after `stop()` says so. Nobody waits for a
    thread that hangs: when it asks the next time, it is told to stop.
    """
    left = threading.Event()
    asked = time.monotonic()
    future: Future[T] = Future()

    def is_over() -> bool:
        nonlocal asked
        asked = time.monotonic()
        return left.is_set() or stop()

    def run() -> None:
        try:
            future.set_result(work(is_over))
        except BaseException as error:  # noqa: BLE001  it is raised to whoever waits
            future.set_exception(error)

    # A daemon: a process that ends waits for no server.
    threading.Thread(target=run, name="apart", daemon=True).start()
    try:
        while True:
            try:
                return future.result(_LOOK)
            except TimeoutError:
                if future.done():  # it was the work's own
                    raise
            if stop():
                raise Stopped
            if time.monotonic() - asked > silence:
                raise Unavailable(f"the storage has said nothing for {silence:g} s")
    finally:
        left.set()
