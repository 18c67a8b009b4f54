"""A render room: the database, the queues in it, and what can be done with them."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from renderkiln.database import jobs
from renderkiln.database.engine import Database, alone, upgrade
from renderkiln.database.jobs import StoredJob
from renderkiln.database.workers import NewWorker
from renderkiln.domain.clock import Clock
from renderkiln.domain.retry import Retry
from renderkiln.engine.attempt import House
from renderkiln.engine.control import Control
from renderkiln.engine.executor import Executor
from renderkiln.engine.heartbeat import BEAT, SILENCE
from renderkiln.engine.narrator import Listener
from renderkiln.engine.queues import Queues
from renderkiln.engine.submit import Submission, submit
from renderkiln.engine.takeover import CRASHES
from renderkiln.engine.tickets import Tickets, create_tables
from renderkiln.engine.worker import Worker
from renderkiln.pipelines.contract import Pipeline, Services


@dataclass(frozen=True)
class Room:
    """`lanes` maps queues to how many of their jobs a worker of this process runs at once, `most_of` to how
    many may run over all workers (None: any number). `polling` is in seconds.
    """

    address: str  # URL of the database
    home: Path
    clock: Clock
    executor: Executor
    pipeline: Callable[[str], Pipeline]
    services: Callable[[Path], Services]
    retry: Callable[[Pipeline], Retry]
    lanes: Mapping[str, int]
    most_of: Mapping[str, int | None]
    polling: float = 0.2
    keep_work: bool = False

    @cached_property
    def database(self) -> Database:
        """Opened, and its tables brought up to date. Raises UserError where it cannot be used."""
        database = Database(self.address)
        upgrade(database)
        with alone(database):
            create_tables(database.engine)
        return database

    @cached_property
    def tickets(self) -> Tickets:
        """What stands in the queues."""
        return Tickets(self.database.engine)

    @property
    def control(self) -> Control:
        return Control(self.database, self.tickets, self.clock)

    @property
    def queues(self) -> Queues:
        return Queues(self.database, self.tickets, self.clock, self.lanes, self.most_of, self.polling)

    def submit(self, submission: Submission) -> str:
        """Queue the jobs; the id of their batch. Raises UserError."""
        return submit(self.database, self.tickets, self.clock, submission)

    def find(self, job_id: str) -> StoredJob | None:
        with self.database.read() as connection:
            return jobs.find(connection, job_id)

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
        name = name or f"{socket.gethostname()}-{os.getpid()}"
        announced = NewWorker(
            id=f"{name}-{secrets.token_hex(6)}",
            name=name,
            host=socket.gethostname(),
            pid=os.getpid(),
            queues=drawn,
            concurrency=min(sum(self.lanes[queue] for queue in drawn), most or sys.maxsize),
            started_at=self.clock.now(),
        )
        house = self._house(announced)
        return Worker(
            house,
            self.tickets,
            announced,
            limits={queue: self.lanes[queue] for queue in drawn},
            most=most,
            listen=listen,
            crashes=crashes,
            grace=grace,
            idle_timeout=idle_timeout,
            beat=beat,
            silence=silence,
        )

    def close(self) -> None:
        if "tickets" in self.__dict__:
            self.tickets.close()
        if "database" in self.__dict__:
            self.database.close()

    def _house(self, worker: NewWorker) -> House:
        return House(
            database=self.database,
            executor=self.executor,
            clock=self.clock,
            home=self.home,
            pipeline=self.pipeline,
            services=self.services,
            retry=self.retry,
            owner=worker.id,
            worker=worker.name,
            keep_work=self.keep_work,
        )
