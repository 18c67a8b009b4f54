"""Runs jobs here and now, in the process that asks: no queue hands them out, no backlog comes before them.

They stand in the database like all others, held from the start by this process. When it dies, the same
request made again goes on with them; so does a worker, if one is there first.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import sqlalchemy as sa

from renderkiln.database import jobs, moves
from renderkiln.database.jobs import StoredJob
from renderkiln.database.workers import NewWorker
from renderkiln.domain.event import Event
from renderkiln.domain.job import Job
from renderkiln.domain.report import JobReport
from renderkiln.domain.states import ENDED
from renderkiln.engine.announce import batch_ended, tell
from renderkiln.engine.attempt import AttemptRun
from renderkiln.engine.grip import Grip
from renderkiln.engine.heartbeat import Heartbeat
from renderkiln.engine.house import House
from renderkiln.engine.legacy import legacies
from renderkiln.engine.narrator import Listener
from renderkiln.engine.persist import persist
from renderkiln.engine.submission import Submission, insert_direct
from renderkiln.engine.ticket import Write

T = TypeVar("T")

_KEPT = "what is finished is kept: the same command continues there"
_TICK = 0.1  # seconds
_LOOK = 0.5  # seconds between two looks at a job that waits, or that somebody else runs


class _Halt(threading.Event):
    """Ends one attempt: set by itself, because the job was lost, or with what ends the whole call."""

    def __init__(self, call: threading.Event) -> None:
        super().__init__()
        self._call = call

    def is_set(self) -> bool:
        return super().is_set() or self._call.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        end = None if timeout is None else time.monotonic() + timeout
        while not self.is_set() and (end is None or time.monotonic() < end):
            super().wait(_TICK if end is None else max(0.0, min(_TICK, end - time.monotonic())))
        return self.is_set()


class Direct:
    """An executor of the jobs that its own process asks for. Threads may share it; close it when done.

    `write_ticket` is for jobs in queues that waited for one of these.
    """

    def __init__(self, house: House, worker: NewWorker, write_ticket: Write) -> None:
        self._house, self._write_ticket = house, write_ticket
        self._grip = Grip(house.database, house.owner)
        self._heartbeat = Heartbeat(house.database, house.clock, worker)
        self._heartbeat.__enter__()
        self._grip.__enter__()

    def close(self) -> None:
        """Cancel what was not begun."""
        for stored in self._mine():
            self._withdraw(stored.report.job.id)
        self._grip.__exit__()
        self._heartbeat.__exit__()

    def knows(self, job_id: str) -> bool:
        """Whether the job is stored."""
        with self._house.database.read() as connection:
            return jobs.find(connection, job_id) is not None

    def take_on(self, submission: Submission, *, reuse: bool = True) -> list[Job]:
        """Store the jobs as this process's own. The jobs to run: these, or those of the same request before.

        A request whose process died is gone on with, unless `reuse` is False: then what is left of it is
        cancelled. What another process is still at is made beside it.
        """
        return self._persist(lambda c: self._take_on(c, submission, reuse=reuse), done=self._holds)

    def run(
        self,
        job: Job,
        *,
        listen: Listener | None = None,
        stop: threading.Event | None = None,
        reuse: bool = True,
    ) -> JobReport:
        """Run the attempts of a job that was taken on, and the waits between them, until it has ended.

        If somebody else has it meanwhile, follow it to its end.
        """
        stop = stop or threading.Event()
        stored = self._found(job.id)
        while stored.report.state not in ENDED and not stop.is_set():
            if stored.owner == self._house.owner and self._wait(stored, stop):
                self._attempt(stored, listen, stop, reuse=reuse or stored.report.attempt > 1)
            elif stored.owner != self._house.owner:
                self._follow(stored, listen)
            stored = self._found(job.id)
        if stored.report.state == "pending" and stored.owner == self._house.owner:
            self._withdraw(job.id)
        return self._found(job.id).report

    def _attempt(
        self, stored: StoredJob, listen: Listener | None, stop: threading.Event, *, reuse: bool
    ) -> None:
        AttemptRun(
            self._house,
            stored.report.job.id,
            stored.report.attempt,
            write_ticket=self._write_ticket,
            stop=_Halt(stop),
            holding=self._grip.on,
            kept=_KEPT,
            stays=True,
            reuse=reuse,
            listen=listen,
        ).run()

    def _wait(self, stored: StoredJob, stop: threading.Event) -> bool:
        """Wait a moment for the job's next attempt; whether its time has come."""
        clock = self._house.clock
        rest = 0.0 if stored.not_before is None else (stored.not_before - clock.now()).total_seconds()
        return clock.sleep(min(max(rest, 0.0), _LOOK), stop) and rest <= _LOOK

    def _follow(self, stored: StoredJob, listen: Listener | None) -> None:
        """Somebody else has it: say how far it is."""
        report = stored.report
        if listen is not None:
            now = self._house.clock.now()
            listen(Event("job.progress", report.job.id, now, report.progress, report.stage, report.message))
        self._house.clock.sleep(_LOOK)

    def _withdraw(self, job_id: str) -> None:
        now = self._house.clock.now()

        def withdraw(connection: sa.Connection) -> None:
            stored = jobs.find(connection, job_id)
            if stored is not None and stored.report.state == "pending":
                moves.withdraw_if_waiting(connection, job_id, now, message="Stopped")
                tell(connection, "job.cancelled", stored.report.job, now, message="Stopped")
                batch_ended(connection, stored.report.job.batch_id, now)

        self._persist(withdraw)

    def _found(self, job_id: str) -> StoredJob:
        def find(connection: sa.Connection) -> StoredJob:
            stored = jobs.find(connection, job_id)
            assert stored is not None, "jobs that have not ended are not forgotten"
            return stored

        return self._persist(find)

    def _holds(self, connection: sa.Connection, taken: Sequence[Job]) -> bool:
        stored = jobs.find_all(connection, [job.id for job in taken])
        return len(stored) == len(taken) and all(each.owner == self._house.owner for each in stored)

    def _persist(
        self,
        write: Callable[[sa.Connection], T],
        *,
        done: Callable[[sa.Connection, T], bool] | None = None,
    ) -> T:
        return persist(self._house.database, self._house.clock, write, done=done)

    def _mine(self) -> list[StoredJob]:
        with self._house.database.read() as connection:
            return jobs.waiting_for_owner(connection, self._house.owner)

    def _take_on(self, connection: sa.Connection, submission: Submission, *, reuse: bool) -> list[Job]:
        now, owner = self._house.clock.now(), self._house.owner
        left = legacies(connection, [submission.request(job) for job in submission.jobs])
        chosen = [left.get(submission.request(job)) if reuse else None for job in submission.jobs]
        for legacy in left.values():
            if reuse:
                legacy.adopt(connection, owner, now)
            else:
                legacy.cancel(connection, f"Begun anew in batch {submission.batch_id}", now)
        new = [job for job, old in zip(submission.jobs, chosen, strict=True) if old is None]
        if new:
            insert_direct(connection, replace(submission, jobs=new), now, owner)
        return [old.job if old else job for job, old in zip(submission.jobs, chosen, strict=True)]
