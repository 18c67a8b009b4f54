"""Tickets in queues that outlive every process. The only file that knows DBOS.

A ticket stands for one turn of one attempt: whoever draws it may try to take the attempt. Our own rows decide
who holds it (`database.moves`); a ticket too many is drawn, finds nothing to do and is gone. So tickets carry
no state, and nothing of DBOS has to agree with our rows: only to be written in the same transaction.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions, WorkflowSerializationFormat
from dbos._error import DBOSAwaitedWorkflowCancelledError

from renderkiln.domain.queue import UPLOADS
from renderkiln.engine.ticket import Ticket
from renderkiln.engine.ticket import lane as lane_name

_APPLICATION = "renderkiln"
# DBOS hands a ticket only to workers of the version that wrote it: with one version for ever, an upgraded
# worker drains what the old one left.
_VERSION = "1"
_WORKFLOW = "attempt"
# DBOS keeps one limit of a queue for all workers. This one stands for each worker's own; one that was not
# told what that is draws nothing.
_OWN = 0
_FRESH = 0.8  # seconds that a worker goes by what it has read of a queue: half of an idle one's reads
_DRAWER = "queue-worker-"  # begins the names of the threads in which DBOS draws
_LOOK = 0.02  # seconds between two looks whether a worker that ends has ended its jobs
_LISTENER = 0.2  # seconds
_PAUSED = 0  # jobs at once over all workers
_AT_ONCE = 200  # entries deleted in one transaction
_ENDED_ENTRIES = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")

Run = Callable[[str, int], None]


@dataclass(frozen=True)
class TicketId:
    """A ticket that was written."""

    id: str
    job_id: str
    attempt: int

    @classmethod
    def of(cls, id: str) -> Self:
        job_id, attempt, _ = id.rsplit(":", 2)
        return cls(id, job_id, int(attempt))


@dataclass(frozen=True)
class Lane:
    """A queue as all workers see it: its jobs at once in each (None: as each likes), over all (None: any).

    Of one with a `host`, all workers are those of that machine.
    """

    name: str
    worker_limit: int | None = None
    global_limit: int | None = None
    paused: bool = False
    host: str | None = None


class Places:
    """How many jobs one worker runs at once: `limits` by queue, and `most` over all of them (None: no limit).

    DBOS looks at each queue from a thread of its own. A ticket that is drawn while another queue takes the
    last place waits here for the next one.
    """

    def __init__(self, limits: Mapping[str, int], most: int | None = None) -> None:
        self.queues = tuple(limits)
        self._limits, self._most = limits, most
        self._taken: dict[str, int] = dict.fromkeys(limits, 0)
        self._closed: set[str] = set()
        self._changed = threading.Condition()

    def limit(self, queue: str, shared: int | None) -> int:
        """How many jobs of `queue` may run here now, where all workers may run `shared` each."""
        if queue in self._closed:
            return 0
        own = self._limits[queue] if shared is None else shared
        if self._most is None:
            return own
        with self._changed:
            others = sum(taken for name, taken in self._taken.items() if name != queue)
        return max(0, min(own, self._most - others))

    def close(self, queue: str) -> None:
        """Draw no more jobs of it; those that run go on."""
        self._closed.add(queue)

    def open(self, queue: str) -> None:
        """Draw them again."""
        self._closed.discard(queue)

    @contextmanager
    def taken(self, queue: str) -> Iterator[None]:
        """While a job of `queue` runs; waits for a place."""
        with self._changed:
            while self._most is not None and sum(self._taken.values()) >= self._most:
                self._changed.wait()
            self._taken[queue] += 1
        try:
            yield
        finally:
            with self._changed:
                self._taken[queue] -= 1
                self._changed.notify_all()


class Tickets:
    """Writes tickets and takes them back. Safe to use from several threads.

    `engine` is the one of our own tables: tickets are written in the transactions of our rows.
    """

    def __init__(self, engine: sa.Engine) -> None:
        _quiet()
        self._client = DBOSClient(system_database_engine=engine, application_name=_APPLICATION, lazy=True)

    def write(self, connection: sa.Connection, ticket: Ticket) -> None:
        """Put a ticket into its queue, in the transaction of `connection`."""
        options: EnqueueOptions = {
            "workflow_name": _WORKFLOW,
            "queue_name": ticket.lane,
            "workflow_id": f"{ticket.job_id}:{ticket.attempt}:{secrets.token_hex(4)}",
            "app_version": _VERSION,
            "priority": ticket.priority,
            "serialization_type": WorkflowSerializationFormat.PORTABLE,
        }
        if ticket.delay > 0:
            options["delay_seconds"] = ticket.delay
        turn = (ticket.job_id, ticket.attempt, ticket.queue)
        self._client.enqueue_in_transaction(connection, options, *turn)

    def of_job(self, job_id: str) -> list[TicketId]:
        """Whatever tickets a job has, drawn or not."""
        found = self._client.list_workflows(
            workflow_id_prefix=f"{job_id}:",
            status=["ENQUEUED", "DELAYED", "PENDING"],
            load_input=False,
            load_output=False,
        )
        return [TicketId.of(each.workflow_id) for each in found]

    def drawn_by_others_than(self, alive: Collection[str]) -> list[TicketId]:
        """Tickets drawn by executors that are not `alive`. They count against a queue's global limit."""
        return [id for id, executor in self._drawn() if executor not in alive]

    def drawn_by(self, executor: str) -> list[TicketId]:
        """Tickets that `executor` has drawn and not brought to an end."""
        return [id for id, drawer in self._drawn() if drawer == executor]

    def _drawn(self) -> list[tuple[TicketId, str | None]]:
        found = self._client.list_workflows(
            status="PENDING", name=_WORKFLOW, load_input=False, load_output=False
        )
        return [(TicketId.of(each.workflow_id), each.executor_id) for each in found]

    def take_back(self, tickets: Iterable[TicketId]) -> None:
        """Let these count no more. What is still run for them goes on: our rows say whether it may."""
        self._client.cancel_workflows([each.id for each in tickets])

    def set_lane(self, lane: Lane, *, polling: float) -> None:
        """Create the queue, or change its limits; running workers follow. `polling` is in seconds."""
        self._client.register_queue(
            lane_name(lane.name, lane.host),
            worker_concurrency=_OWN if lane.worker_limit is None or lane.paused else lane.worker_limit,
            global_concurrency=_PAUSED if lane.paused else lane.global_limit,
            polling_interval_sec=polling,
        )

    def forget(self, *, keep: Mapping[str, int]) -> int:
        """Delete some entries of ended tickets, but none of the newest `keep[status]` of each; how many.

        To be called until it is none: each call is one short transaction.
        """
        for status in _ENDED_ENTRIES:
            old = self._client.list_workflows(
                status=status,
                sort_desc=True,
                offset=keep.get(status, 0),
                limit=_AT_ONCE,
                load_input=False,
                load_output=False,
            )
            if old:
                self._client.delete_workflows([each.workflow_id for each in old])
                return len(old)
        return 0

    def close(self) -> None:
        self._client.destroy()


class Drawing:
    """Draws tickets as `places` allow and calls `run(job_id, attempt)` for each, in a thread of this process.

    Of what is to be uploaded, it draws what lies on `host`, this machine.

    `executor` must be new at every start: DBOS runs again at once whatever an executor of the same id left.
    There is one `Drawing` per process, for DBOS keeps its state in globals.
    """

    def __init__(self, engine: sa.Engine, executor: str, host: str, places: Places, run: Run) -> None:
        _quiet()
        self._places = places
        self._queues = {lane_name(each, host if each == UPLOADS else None): each for each in places.queues}
        self.running: set[str] = set()  # ids of the tickets that this process is at
        config: DBOSConfig = {
            "name": _APPLICATION,
            "system_database_engine": engine,
            "executor_id": executor,
            "application_version": _VERSION,
            "log_level": "ERROR",
            "run_migrations": False,
            "use_listen_notify": False,
            # Of what we do not use, but the end of a worker waits for its next look.
            "notification_listener_polling_interval_sec": _LISTENER,
            "enable_otlp": False,
        }
        self._dbos = DBOS(config=config)

        @DBOS.workflow(name=_WORKFLOW)
        def attempt(job_id: str, number: int, queue: str) -> None:
            ticket = str(DBOS.workflow_id)
            self.running.add(ticket)
            try:
                with places.taken(queue):
                    run(job_id, number)
            finally:
                self.running.discard(ticket)

        DBOS.listen_queues(list(self._queues))

    def start(self) -> None:
        DBOS.launch()
        self._limit_this_worker()

    def stop(self, *, patience: float) -> None:
        """Draw no more, and wait up to `patience` seconds for what is running."""
        # By ourselves: DBOS looks once a second, and first after one, whether anything runs still.
        deadline = time.monotonic() + patience
        for event in self._dbos.background_thread_stop_events:
            event.set()
        for thread in threading.enumerate():  # none may be about to start what it has drawn
            if thread.name.startswith(_DRAWER):
                thread.join(max(0.0, deadline - time.monotonic()))
        while self._dbos._active_workflows_set.activeList() and time.monotonic() < deadline:
            time.sleep(_LOOK)
        DBOS.destroy(workflow_completion_timeout_sec=0, destroy_registry=True)

    def _limit_this_worker(self) -> None:
        """Let DBOS see this worker's own limits where it reads those that are the same for all workers.

        It has no public way to that: `worker_concurrency` stands in the database, once for all.
        """
        system = self._dbos._sys_db
        read = system.get_queue
        seen: dict[str, tuple[float, Any, int | None]] = {}  # when, the queue, and what its limit was

        def get_queue(name: str, **options: Any) -> Any:
            if name not in self._queues:
                return read(name, **options)
            now = time.monotonic()
            if name not in seen or now - seen[name][0] >= _FRESH:
                queue = read(name, **options)
                if queue is None:
                    return None
                shared = queue._worker_concurrency
                seen[name] = (now, queue, None if shared == _OWN else shared)
            _, queue, limit = seen[name]
            queue._worker_concurrency = self._places.limit(self._queues[name], limit)
            return queue

        system.get_queue = get_queue  # type: ignore[method-assign]


def create_tables(engine: sa.Engine) -> None:
    """Bring DBOS's own tables up to date. To be called by one process at a time."""
    url = engine.url.set(drivername=engine.dialect.name).render_as_string(hide_password=False)
    DBOS.migrate(url)


def _quiet() -> None:
    logger = logging.getLogger("dbos")
    logger.setLevel(logging.ERROR)
    logger.addFilter(_is_fault)


def _is_fault(record: logging.LogRecord) -> bool:
    """A ticket that was taken back while its job ran is none: our rows have said what became of the job."""
    return not (record.exc_info and isinstance(record.exc_info[1], DBOSAwaitedWorkflowCancelledError))
