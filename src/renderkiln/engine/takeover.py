"""Takes what a dead executor held and puts it back into its queues, once, however many see it die."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from renderkiln.database import attempts, batches, jobs, moves, pictures, workers
from renderkiln.database.engine import Database
from renderkiln.database.moves import Released
from renderkiln.domain.clock import Clock
from renderkiln.domain.event import Event
from renderkiln.domain.report import JobError
from renderkiln.engine import dependents
from renderkiln.engine.announce import batch_ended, tell
from renderkiln.engine.ticket import Ticket
from renderkiln.engine.tickets import Tickets
from renderkiln.events import journal

_log = logging.getLogger(__name__)

CRASHES = 3  # of one job: then it is the job that kills its workers


@dataclass(frozen=True)
class Takeover:
    """Called after each look at the beats, with the executors found dead. `sweeper` is who looks."""

    database: Database
    tickets: Tickets
    clock: Clock
    sweeper: str
    crashes: int = CRASHES

    def __call__(self, dead: set[str]) -> None:
        with self.database.read() as connection:
            listed = set(workers.beats(connection))
            unlisted = jobs.owners(connection) - listed
        for executor in dead | unlisted:
            self._bury(executor)
        self._rewrite_lost_tickets(listed - dead)

    def _bury(self, dead: str) -> None:
        """One transaction: rows change hands, tickets are written, the dead is struck off."""
        now = self.clock.now()
        with self.database.write() as connection:
            released = moves.release_from_dead(connection, dead, now)
            for each in released:
                self._put_back(connection, each, dead, now)
            if workers.remove(connection, dead):
                facts = {"executor": dead, "jobs": [each.job.id for each in released]}
                journal.append(
                    connection, Event("worker.lost", None, now, 0.0, facts=facts), worker=self.sweeper
                )
        if released:
            _log.warning("%s is dead; taken over from it: %d jobs", dead, len(released))

    def _rewrite_lost_tickets(self, alive: set[str]) -> None:
        """A worker may die between drawing a ticket and taking its job: then nobody else would ever come.

        A ticket too many does no harm, so the new one is written before the old one is taken back.
        """
        lost = self.tickets.drawn_by_others_than(alive)
        if not lost:
            return
        with self.database.write() as connection:
            for each in lost:
                stored = jobs.find(connection, each.job_id)
                if stored is not None and stored.waits_for(each.attempt):
                    job = stored.report.job
                    self.tickets.write(connection, Ticket.of(job, each.attempt))
        self.tickets.take_back(lost)

    def _put_back(self, connection: sa.Connection, released: Released, dead: str, now: datetime) -> None:
        job = released.job
        attempts.mark_lost(connection, [(job.id, released.attempt)], now)
        if released.crashes >= self.crashes:
            self._quarantine(connection, released, now)
            return
        self.tickets.write(connection, Ticket.of(job, released.attempt))
        tell(
            connection,
            "job.taken_over",
            job,
            now,
            message="Its worker is gone; another one goes on",
            worker=self.sweeper,
            executor=dead,
            crashes=released.crashes,
        )

    def _quarantine(self, connection: sa.Connection, released: Released, now: datetime) -> None:
        job, number = released.job, released.attempt
        error = JobError("POISON", f"crashed its worker {released.crashes} times")
        batches.lock(connection, job.batch_id)
        moves.adopt_if_held_by(connection, job.id, None, self.sweeper)  # whether its queue is paused or not
        moves.start_if_waiting(connection, job.id, number, self.sweeper, worker="", now=now)
        moves.fail_if_held(connection, job.id, number, self.sweeper, error=error, now=now)
        pictures.forget(connection, job.id)
        tell(connection, "job.failed", job, now, message=error.message, worker=self.sweeper, code=error.code)
        batch_ended(connection, job.batch_id, now)
        dependents.give_up(connection, job.id, "failed", now)
