"""A render room: the database, the queues in it, and what can be done with them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import sqlalchemy as sa

from renderkiln.database import batches, jobs
from renderkiln.database.batches import StoredBatch
from renderkiln.database.cursor import Cursor
from renderkiln.database.engine import Database, alone
from renderkiln.database.jobs import StoredJob
from renderkiln.database.workers import NewWorker
from renderkiln.domain.clock import Clock
from renderkiln.domain.errors import UserError
from renderkiln.domain.job import Job
from renderkiln.domain.queue import EVENTS
from renderkiln.engine.batchreport import BatchReport
from renderkiln.engine.bulk import Bulk
from renderkiln.engine.control import Control
from renderkiln.engine.courier import Courier
from renderkiln.engine.depot import Depot
from renderkiln.engine.heartbeat import BEAT, SILENCE, announce
from renderkiln.engine.house import House
from renderkiln.engine.machine import machine_of
from renderkiln.engine.narrator import Listener
from renderkiln.engine.queues import Queues
from renderkiln.engine.retention import Keep, Retention
from renderkiln.engine.stranded import PATIENCE
from renderkiln.engine.submission import Submission
from renderkiln.engine.submit import submit
from renderkiln.engine.takeover import CRASHES
from renderkiln.engine.tickets import Tickets, create_tables
from renderkiln.engine.worker import Worker
from renderkiln.events import handlers


@dataclass(frozen=True)
class Room:
    """`lanes` maps queues to how many of their jobs a worker of this process runs at once, `most_of` to how
    many may run over all workers (None: any number). `polling` and `patience` (see `Worker`) are in seconds.
    """

    database: Database
    clock: Clock
    home: Path
    keep: Keep
    house: Callable[[NewWorker], House]
    lanes: Mapping[str, int]
    most_of: Mapping[str, int | None]
    tries: Callable[[str], int]
    stages: Callable[[Job], Sequence[str]]
    polling: float = 0.2
    patience: float = PATIENCE
    sweep_storage: Callable[[float], int] = lambda _age: 0
    depot: Depot | None = None

    @cached_property
    def tickets(self) -> Tickets:
        """What stands in the queues."""
        with alone(self.database):
            create_tables(self.database.engine)
        return Tickets(self.database.engine)

    @property
    def control(self) -> Control:
        return Control(self.database, self.tickets, self.clock, self.tries, self.stages)

    @property
    def bulk(self) -> Bulk:
        return Bulk(self.database, self.control)

    @property
    def queues(self) -> Queues:
        return Queues(
            self.database, self.tickets, self.clock, self.lanes, self.most_of, self.polling, self.home
        )

    @property
    def retention(self) -> Retention:
        sweep, depot = self.sweep_storage, self.depot
        return Retention(self.database, self.tickets, self.clock, self.home, self.keep, sweep, depot)

    def submit(self, submission: Submission) -> str:
        """Queue the jobs; the id of their batch. Raises UserError."""
        return submit(self.database, self.tickets, self.clock, submission)

    def find(self, job_id: str, *, params: bool = True) -> StoredJob | None:
        """The job, if there is one; if told so, to be shown only: without its params, which are {} then."""
        with self.database.read() as connection:
            return jobs.find(connection, job_id, params=params)

    def job(self, job_id: str) -> StoredJob:
        """Raises UserError for a job there is not."""
        stored = self.find(job_id)
        if stored is None:
            raise UserError(f"there is no job {job_id!r}")
        return stored

    def jobs(self, ids: Sequence[str]) -> list[StoredJob]:
        """Those of these jobs that there are, in this order."""
        with self.database.read() as connection:
            return jobs.find_all(connection, ids)

    def batch(self, batch_id: str) -> list[StoredJob]:
        """The jobs of a batch, in their order. Raises UserError for a batch there is not."""
        with self.database.read() as connection:
            found = jobs.of_batch(connection, batch_id)
            if not found:
                self._batch(connection, batch_id)
            return found

    def batch_report(self, batch_id: str) -> BatchReport:
        """How a batch stands. Raises UserError for a batch there is not."""
        with self.database.read() as connection:
            return BatchReport.of(connection, self._batch(connection, batch_id), self.clock.now())

    def batches(
        self, limit: int, account: str | None = None, before: Cursor | None = None
    ) -> list[BatchReport]:
        """The newest batches first, those older than `before`; of all accounts if none is named."""
        with self.database.read() as connection:
            found = batches.page(connection, account=account, before=before, limit=limit)
            return BatchReport.of_all(connection, found, self.clock.now())

    def _batch(self, connection: sa.Connection, batch_id: str) -> StoredBatch:
        found = batches.find(connection, batch_id)
        if found is None:
            raise UserError(f"there is no batch {batch_id!r}")
        return found

    def worker(
        self,
        *,
        name: str | None = None,
        queues: Sequence[str] = (),
        most: int | None = None,
        listen: Listener | None = None,
        crashes: int = CRASHES,
        grace: float = 30.0,
        idle_timeout: float = 0.0,
        beat: float = BEAT,
        silence: float = SILENCE,
    ) -> Worker:
        """A worker for these queues, all if none is named; see `Worker`. Times are in seconds.

        Raises UsageError for a queue there is not.
        """
        for queue in queues:
            self.queues.check(queue)
        self.queues.apply()
        drawn = tuple(queues) or tuple(self.lanes)
        concurrency = min(sum(self.lanes[queue] for queue in drawn), most or sys.maxsize)
        place = machine_of(self.home)
        announced = announce(self.clock, name=name, queues=drawn, concurrency=concurrency, machine=place)
        house = self.house(announced)
        delivers = EVENTS in drawn
        return Worker(
            house,
            self.tickets,
            announced,
            retention=self.retention,
            courier=self.courier(house) if delivers else None,
            limits={queue: self.lanes[queue] for queue in drawn},
            most=most,
            listen=listen,
            crashes=crashes,
            grace=grace,
            idle_timeout=idle_timeout,
            beat=beat,
            silence=silence,
            patience=self.patience,
        )

    def courier(self, house: House) -> Courier:
        """Delivers what happened, for the executor of this house, while that is on the list of workers."""
        return Courier(
            self.database,
            self.clock,
            house.owner,
            house.errands,
            self.queues.room,
            handlers.installed(),
            polling=self.polling,
        )

    def close(self) -> None:
        if "tickets" in self.__dict__:
            self.tickets.close()
