"""Sends finished files to the depot from a thread of its own: no stage waits for the network."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from renderkiln.domain.errors import Stopped
from renderkiln.engine.checkpoint import FileRecord
from renderkiln.engine.depot import Depot
from renderkiln.storage.errors import StorageError, Unavailable

if TYPE_CHECKING:
    from renderkiln.engine.cargo import Cargo

_log = logging.getLogger(__name__)

MOST = 10_000  # files that wait; some MB of names, for their bytes lie on the disk
_PAUSE = 30.0  # seconds until a file is tried again that a silent storage did not take
_LAST = 5.0  # seconds that removals may take when the worker ends


@dataclass(frozen=True)
class Parcel:
    """A file to be sent, not before `due` by the monotonic clock."""

    cargo: Cargo
    file: FileRecord
    due: float


class Carrier:
    """One for each worker; a context manager. What goes wrong here is logged, and fails no job.

    One file at a time, so that memory stays that of one upload.
    """

    def __init__(self, depot: Depot) -> None:
        self.depot = depot
        self._waiting: deque[Parcel] = deque()
        self._forgotten: deque[str] = deque()
        self._now: Parcel | None = None
        self._removes = False
        self._removed_last = False
        self._over = False
        self._well = True
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="carrier", daemon=True)

    def send(self, parcel: Parcel) -> bool:
        """Take it, without waiting; False where too many wait already."""
        with self._changed:
            if len(self._waiting) >= MOST:
                return False
            self._waiting.append(parcel)
            self._changed.notify_all()
        return True

    def drop(self, cargo: Cargo) -> None:
        """Send no more of it; what is being sent ends soon."""
        with self._changed:
            self._waiting = deque(each for each in self._waiting if each.cargo is not cargo)
            self._changed.notify_all()

    def settle(self, cargo: Cargo, seconds: float) -> None:
        """Wait until all of it is sent, no longer than so many seconds."""
        with self._changed:
            mine = deque(replace(each, due=0.0) for each in self._waiting if each.cargo is cargo)
            self._waiting = mine + deque(each for each in self._waiting if each.cargo is not cargo)
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._has(cargo), seconds)

    def forget(self, work: str) -> None:
        """Remove what is stored of this work, soon."""
        with self._changed:
            if len(self._forgotten) < MOST:  # the sweep finds it, a week later
                self._forgotten.append(work)
            self._changed.notify_all()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._waiting.clear()
            self._changed.wait_for(lambda: not self._forgotten and not self._removes, _LAST)
            self._over = True
            self._changed.notify_all()
        self._thread.join(timeout=_LAST)

    def _run(self) -> None:
        while (task := self._next()) is not None:
            try:
                self._do(task)
                self._well = True
            except Stopped:
                pass
            except Exception as error:  # noqa: BLE001  this thread must outlive whatever it meets
                self._complain(error)
                if isinstance(task, Parcel) and isinstance(error, Unavailable):
                    self._again(task)
            finally:
                with self._changed:
                    self._now, self._removes = None, False
                    self._changed.notify_all()

    def _next(self) -> Parcel | str | None:
        """What is to be done now: a file to send or a work to forget; None at the end."""
        with self._changed:
            while not self._over:
                now = time.monotonic()
                due = next((each for each in self._waiting if each.due <= now), None)
                if self._forgotten and (due is None or not self._removed_last):  # by turns
                    self._removes = self._removed_last = True
                    return self._forgotten.popleft()
                if due is not None:
                    self._waiting.remove(due)
                    self._now, self._removed_last = due, False
                    return due
                self._changed.wait(min((each.due - now for each in self._waiting), default=None))
            return None

    def _do(self, task: Parcel | str) -> None:
        if isinstance(task, str):
            self.depot.forget(task, lambda: self._over)
        else:
            cargo = task.cargo
            self.depot.put(cargo.work, cargo.folder, task.file, lambda: self._over or cargo.dropped)

    def _again(self, parcel: Parcel) -> None:
        if not parcel.cargo.dropped:
            self.send(replace(parcel, due=time.monotonic() + _PAUSE))

    def _has(self, cargo: Cargo) -> bool:
        now = [] if self._now is None else [self._now]
        return any(each.cargo is cargo for each in (*now, *self._waiting))

    def _complain(self, error: Exception) -> None:
        """Once, until something works again."""
        if self._well:
            expected = isinstance(error, StorageError | OSError)
            _log.warning("finished work does not reach other machines: %s", error, exc_info=not expected)
        self._well = False
