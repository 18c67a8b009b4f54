"""I am alive, and who is not: whoever is silent is dead, and what it held is taken from it.

Open-source DBOS leaves the jobs of a dead process to a process of the same name. Ours have new names at every
start, so that a restarted worker never keeps its dead self's jobs alive; instead everybody watches everybody.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from renderkiln.database import workers
from renderkiln.database.engine import Database
from renderkiln.database.trouble import first_line
from renderkiln.database.workers import NewWorker
from renderkiln.domain.clock import Clock
from renderkiln.domain.event import Event, EventName
from renderkiln.events import journal

_log = logging.getLogger(__name__)

BEAT = 2.0  # seconds between two beats
SILENCE = 10.0  # seconds of uninterrupted watching without a beat: then it is dead
_GAP = 3 * BEAT  # seconds without a look: we were stopped or locked out ourselves, and begin anew


def announce(
    clock: Clock,
    *,
    name: str | None = None,
    queues: tuple[str, ...] = (),
    concurrency: int = 1,
    direct: bool = False,
    machine: str | None = None,
) -> NewWorker:
    """An executor for this process. Its id is new at every start, whatever its name."""
    host, pid = socket.gethostname(), os.getpid()
    name = name or f"{host}-{pid}"
    id = f"{name}-{secrets.token_hex(6)}"
    return NewWorker(id, name, host, pid, queues, concurrency, clock.now(), direct, machine)


@dataclass
class _Seen:
    beat: int
    since: float  # when we first saw this beat, on our own monotonic clock
    is_first: bool = True  # no other one was seen: it may have been dead before we came


class Watch:
    """Decides from the beats of others who is dead, by this process's own monotonic clock.

    A beat is a number that grows, never a time of day: a clock set back kills nobody. A watcher that was
    itself stopped, or could not read the beats, starts its window anew.
    """

    def __init__(self, *, silence: float = SILENCE, gap: float = _GAP) -> None:
        self._silence, self._gap = silence, gap
        self._seen: dict[str, _Seen] = {}
        self._looked: float | None = None

    def look(self, beats: Mapping[str, int], now: float) -> set[str]:
        """Those of `beats` (beat by executor) that are dead at `now` (monotonic seconds)."""
        if self._looked is None or now - self._looked > self._gap:
            self._seen.clear()
        self._looked = now
        self._seen = {name: self._noted(name, beat, now) for name, beat in beats.items()}
        return {name for name, seen in self._seen.items() if now - seen.since >= self._silence}

    @property
    def doubted(self) -> set[str]:
        """Those of whom no two beats were seen: alive or dead, that is not known yet."""
        return {name for name, seen in self._seen.items() if seen.is_first}

    def _noted(self, name: str, beat: int, now: float) -> _Seen:
        before = self._seen.get(name)
        if before is None:
            return _Seen(beat, now)
        return before if before.beat == beat else _Seen(beat, now, is_first=False)


class Heartbeat:
    """Beats for `worker` from a thread of its own; after each look it calls `sweep` with who is dead.

    A context manager: on the list of workers while it is entered. A beat that cannot be written is left out:
    the others cannot read ours then either.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        worker: NewWorker,
        *,
        sweep: Callable[[set[str]], None] | None = None,
        interval: float = BEAT,
        silence: float = SILENCE,
    ) -> None:
        self._database, self._clock, self._worker = database, clock, worker
        self._sweep, self._interval = sweep, interval
        self._watch = Watch(silence=silence, gap=3 * interval)
        self._looked = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    @property
    def knows_everyone(self) -> bool:
        """Whether each of the others has shown that it lives, or has been found dead."""
        return self._looked and not self._watch.doubted - {self._worker.id}

    def __enter__(self) -> Self:
        self._register("worker.started")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(timeout=5)
        with self._database.write() as connection:
            workers.remove(connection, self._worker.id)
            self._tell(connection, "worker.stopped")

    def _run(self) -> None:
        while not self._over.wait(self._interval):
            try:
                self._beat()
            except DBAPIError as error:
                _log.warning("the heartbeat could not be written: %s", first_line(error))
            except Exception:  # noqa: BLE001  this thread must outlive whatever it meets
                _log.exception("the heartbeat failed")

    def _beat(self) -> None:
        with self._database.write() as connection:
            known = workers.beat(connection, self._worker.id, self._clock.now())
        if not known:  # we were stopped for so long that the others buried us
            self._register("worker.started")
        if self._sweep is None:
            return
        with self._database.read() as connection:
            beats = workers.beats(connection)
        self._sweep(self._watch.look(beats, self._clock.monotonic()) - {self._worker.id})
        self._looked = True

    def _register(self, name: EventName) -> None:
        with self._database.write() as connection:
            workers.register(connection, self._worker)
            self._tell(connection, name)

    def _tell(self, connection: sa.Connection, name: EventName) -> None:
        event = Event(name, None, self._clock.now(), 0.0, message=self._worker.name)
        journal.append(connection, event, worker=self._worker.id)
