"""Forgets what is old: records, tickets, events, unfinished work, logs, cache. Never a finished file."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import sqlalchemy as sa

from renderkiln.database import expiry, handlers, jobs
from renderkiln.database.engine import Database
from renderkiln.domain.clock import Clock
from renderkiln.domain.errors import Stopped
from renderkiln.engine import workfolder
from renderkiln.engine.depot import Depot
from renderkiln.engine.leftover import drop, drop_empty_folders, files_below
from renderkiln.media import kernels
from renderkiln.storage.errors import StorageError

if TYPE_CHECKING:
    from renderkiln.engine.tickets import Tickets

T = TypeVar("T")

_log = logging.getLogger(__name__)
_ORPHANED = timedelta(days=7)  # after that nobody goes on with unfinished work
_UNINSTALLED = timedelta(days=7)  # after that nobody waits for a worker with such a handler
_HALF = timedelta(days=1)  # after that nobody writes on at a half-written file
_IN_USE = timedelta(hours=1)  # for so long after its last use, a cached file may be used right now
_LONGEST = 36_500.0  # days; a date has no room for much more
# Rows of one transaction: on SQLite everybody who wants to write waits for it.
_JOBS, _BATCHES, _EVENTS, _STAGES = 50, 200, 1000, 200
_PAUSE = 0.05  # seconds after it, in which the others have their turn
_LOGS = 500  # names of one query


@dataclass(frozen=True)
class Keep:
    """What is kept: days of job records and of events, entries of the queue engine, bytes of cache."""

    jobs: float
    events: float
    completed: int
    failed: int
    cache: int


@dataclass(frozen=True)
class Swept:
    """How many of each went, deliveries among the events; `bytes` is what files among them gave back."""

    jobs: int
    batches: int
    stages: int
    events: int
    tickets: int
    folders: int
    logs: int
    cached: int
    uploads: int
    drafts: int  # of files that were to be stored
    shared: int  # files of unfinished work in the storage
    bytes: int


class _Gone(NamedTuple):
    number: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Retention:
    """`home` is RENDERKILN_HOME. What is in use is never touched; several processes may sweep at once.

    Who has no queues has no `tickets`, and need not load the queue engine.
    """

    database: Database
    tickets: Tickets | None
    clock: Clock
    home: Path
    keep: Keep
    sweep_storage: Callable[[float], int] = lambda _age: 0  # half-stored files as old as so many seconds
    depot: Depot | None = None

    def sweep(self, stop: threading.Event | None = None) -> Swept:
        """Forget what is older than it is kept; soon and in order once `stop` is set.

        A sweep that is killed leaves nothing half done: the next one goes on. Raises the database's errors.
        """
        stop, now = stop or threading.Event(), self.clock.now()
        # On a full disk a database cannot even forget: files give it room first.
        work = _Gone() if stop.is_set() else self._sweep_work(now)
        cache = _Gone() if stop.is_set() else self._sweep_cache(now)
        rows = self._sweep_rows(now, stop)
        logs = _Gone() if stop.is_set() else self._sweep_logs(now)
        uploads = _Gone() if stop.is_set() else self._sweep_uploads(now)
        drafts = 0 if stop.is_set() else self.sweep_storage(_HALF.total_seconds())
        shared = _Gone() if stop.is_set() else self._sweep_depot(now, stop)
        return Swept(
            **rows,
            folders=work.number,
            logs=logs.number,
            cached=cache.number,
            uploads=uploads.number,
            drafts=drafts,
            shared=shared.number,
            bytes=work.bytes + cache.bytes + logs.bytes + uploads.bytes,
        )

    def _sweep_rows(self, now: datetime, stop: threading.Event) -> Mapping[str, int]:
        ended, happened = _days_before(now, self.keep.jobs), _days_before(now, self.keep.events)
        uninstalled = now - _UNINSTALLED
        self._in_turns(
            stop,
            lambda c: handlers.old(c, uninstalled),
            lambda c, types: handlers.forget(c, types, uninstalled),
        )
        left = now - _ORPHANED  # what these stages have made is gone: see `_sweep_work`
        return {
            "jobs": self._in_turns(
                stop,
                lambda c: expiry.old_jobs(c, ended, _JOBS),
                lambda c, ids: expiry.forget_jobs(c, ids, ended),
            ),
            "batches": self._in_turns(
                stop,
                lambda c: expiry.empty_batches(c, ended, _BATCHES),
                lambda c, ids: expiry.forget_batches(c, ids, ended),
            ),
            "stages": self._in_turns(
                stop,
                lambda c: expiry.old_stages(c, left, _STAGES),
                lambda c, keys: expiry.forget_stages(c, keys, left),
            ),
            "events": self._in_turns(
                stop, lambda c: expiry.old_events(c, happened, _EVENTS), expiry.forget_events
            )
            + self._in_turns(
                stop,
                lambda c: expiry.old_deliveries(c, happened, _EVENTS),
                lambda c, ids: expiry.forget_deliveries(c, ids, happened),
            ),
            "tickets": self._sweep_tickets(stop),
        }

    def _in_turns(
        self,
        stop: threading.Event,
        find: Callable[[sa.Connection], Sequence[T]],
        forget: Callable[[sa.Connection, Sequence[T]], int],
    ) -> int:
        """Find and forget in many short transactions, until nothing is left or somebody else is at it."""
        gone = 0
        while not stop.is_set():
            with self.database.read() as connection:
                found = find(connection)
            if not found:
                break
            with self.database.write() as connection:
                fewer = forget(connection, found)
            gone += fewer
            if not fewer or not self.clock.sleep(_PAUSE, stop):
                break
        return gone

    def _sweep_tickets(self, stop: threading.Event) -> int:
        """Delete what the queue engine remembers of ended tickets, but for the newest ones.

        To it, a ticket has succeeded when it was drawn and dealt with, whether its job completed or failed:
        so it keeps as many of these as of both together. The other ways to end are troubles: an error that
        we did not foresee, a job that was cancelled, a ticket taken back from a dead worker.
        """
        troubles = dict.fromkeys(("ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"), self.keep.failed)
        keep = {"SUCCESS": self.keep.completed + self.keep.failed, **troubles}
        gone = 0
        while self.tickets and not stop.is_set() and (few := self.tickets.forget(keep=keep)):
            gone += few
            self.clock.sleep(_PAUSE, stop)
        return gone

    def _sweep_work(self, now: datetime) -> _Gone:
        """Remove work that nobody goes on with, and what a crash left half written or half removed."""
        work = self.home / "work"
        with self.database.read() as connection:
            open_work = jobs.fingerprints_in_use(connection)
        for name in open_work:  # however long its job waits: as if it were touched now
            with contextlib.suppress(OSError):
                os.utime(work / name)
        halves = [
            file for file in files_below(work) if file.name.endswith(".part") and file.used < now - _HALF
        ]
        half_bytes = sum(file.bytes for file in halves if drop(file.path))
        sizes = {path: sum(file.bytes for file in files_below(path)) for path in work.glob("*")}
        removed = [path for path in sizes if ".removed." in path.name]
        for path in removed:
            shutil.rmtree(path, ignore_errors=True)
        swept = [*removed, *workfolder.sweep(work, age=_ORPHANED.total_seconds())]
        return _Gone(len(swept), half_bytes + sum(sizes.get(path, 0) for path in swept))

    def _sweep_depot(self, now: datetime, stop: threading.Event) -> _Gone:
        """Remove what is stored of work that is not recorded any more, for whoever did not come to it."""
        if self.depot is None:
            return _Gone()

        def known(work: Collection[str]) -> set[str]:
            with self.database.read() as connection:
                return expiry.known_work(connection, work)

        try:
            return _Gone(self.depot.sweep(known, now - _ORPHANED, stop.is_set))
        except (StorageError, Stopped) as error:  # the rest can be cleared up without it
            _log.warning("unfinished work in the storage is not cleared up: %s", error)
            return _Gone()

    def _sweep_logs(self, now: datetime) -> _Gone:
        """Remove old logs whose job is forgotten."""
        old = [file for file in files_below(self.home / "logs") if file.written < now - _ORPHANED]
        gone = []
        for start in range(0, len(old), _LOGS):
            few = [file for file in old[start : start + _LOGS] if file.path.suffix == ".log"]
            with self.database.read() as connection:
                known = expiry.known_jobs(connection, [file.path.stem for file in few])
            gone += [file.bytes for file in few if file.path.stem not in known and drop(file.path)]
        return _Gone(len(gone), sum(gone))

    def _sweep_uploads(self, now: datetime) -> _Gone:
        """Remove what of uploads nobody has gone on with for a day, and notes of finished ones."""
        old = [file for file in files_below(self.home / "uploads") if file.written < now - _HALF]
        gone = [file for file in old if drop(file.path)]
        return _Gone(sum(file.path.suffix == ".part" for file in gone), sum(file.bytes for file in gone))

    def _sweep_cache(self, now: datetime) -> _Gone:
        """Remove what was not used for longest, until the rest is small enough.

        What has another name elsewhere takes no room here: assets are links of the storage's own files where
        one disk has both. Kernels of other versions go when they are old; those of the running version
        stay. Folders stay for a while when they are empty: Numba may be about to write there.
        """
        cache = self.home / "cache"
        own = {kernels.cache_folder(cache), Path(os.environ.get("NUMBA_CACHE_DIR", os.devnull))}
        files = sorted(files_below(cache), key=lambda file: file.used)
        total = sum(file.own for file in files)
        gone = []
        for file in files:
            if any(map(file.path.is_relative_to, own)) or file.used > now - _IN_USE:
                continue
            is_kernel = file.path.relative_to(cache).parts[0].startswith("kernels-")
            useless = (is_kernel and file.used < now - _ORPHANED) or (
                file.name.endswith(".part") and file.used < now - _HALF
            )
            if (useless or (file.own and total > self.keep.cache)) and drop(file.path):
                gone.append(file.own)
                total -= file.own
        drop_empty_folders(cache, now - _ORPHANED)
        return _Gone(len(gone), sum(gone))


def _days_before(now: datetime, days: float) -> datetime:
    return now - timedelta(days=min(days, _LONGEST))
