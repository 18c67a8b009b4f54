"""A worker as a process of its own: signals end it in order, and a port says how it is."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import queue
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from http import HTTPStatus
from pathlib import Path
from types import FrameType, MappingProxyType
from typing import TYPE_CHECKING

import sqlalchemy as sa

from renderkiln.database import workers
from renderkiln.database.engine import Database
from renderkiln.database.trouble import explained
from renderkiln.database.workers import NewWorker
from renderkiln.domain.clock import Clock
from renderkiln.domain.errors import UserError
from renderkiln.engine.health import Answer, Glance, HealthServer
from renderkiln.engine.queues import QueueReport
from renderkiln.engine.room import Room
from renderkiln.engine.statistics import Statistics
from renderkiln.engine.worker import Worker

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

_log = logging.getLogger(__name__)

PATIENCE = 60.0  # seconds that a database may take to come up
_FIRST, _LONGEST = 1.0, 8.0  # seconds between two tries
_ROOM = 1 << 20  # bytes that must be free where work is to be kept


class Signals:
    """SIGTERM and SIGINT as the wish to stop, from `listen()` on to the end of the process.

    What is given to `pass_on_to` is called for the first signal and the second; further ones change nothing.
    """

    def __init__(self) -> None:
        self.wanted = threading.Event()
        # A handler runs between any two steps of the main thread, which may hold any lock at this moment: a
        # SimpleQueue is made to be used there.
        self._arrived: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._heard = 0
        self._stop: Callable[[], None] | None = None

    def listen(self) -> None:
        """To be called in the main thread."""
        threading.Thread(target=self._run, name="signals", daemon=True).start()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._receive)

    def pass_on_to(self, stop: Callable[[], None]) -> None:
        """Call `stop` for each signal from now on, and for those that have come already."""
        with self._lock:
            self._stop, missed = stop, self._heard
        for _ in range(missed):
            stop()

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        self._arrived.put(number)

    def _run(self) -> None:
        for what in (
            "stopping: what runs may end within the grace time; a second signal hands it back at once",
            "handing back what still runs",
        ):
            number = self._arrived.get()
            _log.warning("%s: %s", signal.Signals(number).name, what)
            self.wanted.set()
            with self._lock:
                self._heard += 1
                stop = self._stop
            if stop is not None:
                stop()


def reach(address: str, clock: Clock, stop: threading.Event, *, patience: float = PATIENCE) -> bool:
    """Wait until the database at this URL lets us in; False if `stop` was set before.

    Raises UsageError for what is no URL, UserError where it cannot be reached for `patience` seconds.
    """
    database = Database(address)
    begun, wait = clock.monotonic(), _FIRST
    with contextlib.closing(database), explained(address):
        while not database.is_sqlite:  # a file is there or not, and waiting changes nothing
            try:
                with database.engine.connect():
                    break
            except sa.exc.OperationalError as error:
                if clock.monotonic() - begun + wait > patience:
                    raise
                reason = str(error.orig).strip().splitlines()[0]
                _log.warning("no connection to %s, again in %.0f s: %s", database.shown, wait, reason)
            if not clock.sleep(wait, stop):
                break
            wait = min(_LONGEST, wait * 2)
    return not stop.is_set()


def check_home(home: Path) -> None:
    """See that work can be kept in `home`, making it if it is missing. Raises UserError."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home) as probe:
            probe.write(bytes(_ROOM))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UserError(
            f"the home folder {home} cannot be written to: {reason}; choose another by RENDERKILN_HOME"
        ) from None


class Supervisor:
    """Runs one worker in this process, the main thread waiting. Use it once.

    `statistics` hears the events of the worker. `health` is the socket on which it says how it is, with
    `metrics`, if there are any, by the paths under which they are found.
    """

    def __init__(
        self,
        room: Room,
        worker: Worker,
        statistics: Statistics,
        signals: Signals,
        *,
        health: socket.socket | None = None,
        metrics: Mapping[str, CollectorRegistry] = MappingProxyType({}),
    ) -> None:
        self._room, self._worker, self._statistics, self._signals = room, worker, statistics, signals
        self._health, self._metrics = health, metrics
        self._beats = Glance(self._read_beats, room.clock)
        self._reports = Glance(room.queues.reports, room.clock)

    def run(self) -> int:
        """Until the worker has ended; the exit status of the process.

        Raises what the database raises.
        """
        worker = self._worker
        with self._listening() as server:
            _log.info("%s%s", self._introduction(), f"; health: {server.url}/health" if server else "")
            self._warn_of_namesakes()
            self._signals.pass_on_to(worker.stop)
            worker.run()
        if left := worker.running:
            _log.error("leaving without having written down what became of: %s", ", ".join(left))
            return 1
        _log.info("ended in order")
        return 0

    def health(self) -> Answer:
        """What `GET /health` says: 503 while it stops, and while the database does not answer."""
        connected = self._beats.look() is not None
        status = "stopping" if self._worker.stopping else "ok" if connected else "degraded"
        return Answer(
            {
                "status": status,
                "uptime": self._statistics.uptime,
                "activeJobs": len(self._worker.running),
                "queueConnected": connected,
            },
            HTTPStatus.OK if status == "ok" else HTTPStatus.SERVICE_UNAVAILABLE,
        )

    def stats(self) -> Answer:
        """What `GET /stats` says. Times are in milliseconds; `queues` is null without the database."""
        worker, reports, now = self._worker.announced, self._reports.look(), self._room.clock.now()
        return Answer(
            {
                **self._statistics.to_json(),
                "currentlyProcessing": len(self._worker.running),
                "worker": {"id": worker.id, "name": worker.name},
                "queues": None
                if reports is None
                else {each.name: _standing(each, each.age(now)) for each in reports},
            }
        )

    def _listening(self) -> AbstractContextManager[HealthServer | None]:
        if self._health is None:
            return contextlib.nullcontext()
        told = {path: functools.partial(_scraped, each) for path, each in self._metrics.items()}
        return HealthServer(self._health, {"/health": self.health, "/stats": self.stats, **told})

    def _introduction(self) -> str:
        worker, lanes = self._worker.announced, self._room.lanes
        queues = ", ".join(f"{name} ({lanes[name]})" for name in worker.queues)
        return (
            f"worker {worker.name} takes up to {worker.concurrency} jobs at once of {queues} "
            f"from {self._room.database.shown}"
        )

    def _warn_of_namesakes(self) -> None:
        own = self._worker.announced
        with self._room.database.read() as connection:
            others = workers.everyone(connection)
        for other in others:
            if other.name == own.name and not other.direct and not _is_gone(other):
                _log.warning(
                    "another worker is called %s, on %s with process id %d: both work, but people cannot "
                    "tell them apart",
                    own.name,
                    other.host,
                    other.pid,
                )

    def _read_beats(self) -> object:
        with self._room.database.read() as connection:
            return workers.beats(connection)


def _scraped(registry: CollectorRegistry) -> Answer:
    """What is in it, to Prometheus."""
    from renderkiln.observability.metrics import exposed  # late: most workers have no port

    body, content_type = exposed(registry)
    return Answer(body, content_type=content_type)


def _standing(report: QueueReport, age: float | None) -> dict[str, object]:
    return {
        "waiting": report.counts["pending"],
        "active": report.counts["processing"],
        "completed": report.counts["completed"],
        "failed": report.counts["failed"],
        "cancelled": report.counts["cancelled"],
        "paused": report.paused,
        "oldestWaiting": None if age is None else round(age * 1000),
        "workerLimit": report.worker_limit,
        "globalLimit": report.global_limit,
    }


def _is_gone(other: NewWorker) -> bool:
    """Whether it is a process of this machine that has died, and is only not struck off yet."""
    if other.host != socket.gethostname():
        return False
    try:
        os.kill(other.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # somebody else's, and alive
        return False
    return False
