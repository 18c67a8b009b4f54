"""What people do to jobs that exist: cancel and retry."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from renderkiln.database import batches, jobs, stages
from renderkiln.database.engine import Database
from renderkiln.database.jobs import StoredJob
from renderkiln.domain.clock import Clock
from renderkiln.domain.errors import UserError
from renderkiln.domain.states import ENDED
from renderkiln.engine.announce import batch_ended, tell
from renderkiln.engine.persist import persist
from renderkiln.engine.tickets import Ticket, Tickets

_PATIENCE = 10.0  # seconds that a person waits for a database that is away or locked


@dataclass(frozen=True)
class Control:
    """Every verb raises UserError for a job that is not there or not in a state for it."""

    database: Database
    tickets: Tickets
    clock: Clock

    def cancel(self, job_id: str) -> None:
        """End a job that waits or runs. Whoever runs it hears of it within a second and stops."""
        persist(self.database, self.clock, lambda c: self._cancel(c, job_id), patience=_PATIENCE)
        self.tickets.withdraw(job_id)

    def retry(self, job_id: str, *, from_scratch: bool = False) -> int:
        """Queue a failed job again, from its failed stage or from scratch; the number of its next attempt."""
        return persist(
            self.database,
            self.clock,
            lambda c: self._retry(c, job_id, from_scratch=from_scratch),
            patience=_PATIENCE,
        )

    def cancel_batch(self, batch_id: str) -> list[str]:
        """Cancel what has not ended of a batch; the ids."""
        cancelled = []
        for stored in self._jobs_of(batch_id):
            if stored.report.state not in ENDED:
                self.cancel(stored.report.job.id)
                cancelled.append(stored.report.job.id)
        return cancelled

    def retry_batch(self, batch_id: str, *, from_scratch: bool = False) -> list[str]:
        """Queue the failed jobs of a batch again; their ids."""
        failed = [s.report.job.id for s in self._jobs_of(batch_id) if s.report.state == "failed"]
        for job_id in failed:
            self.retry(job_id, from_scratch=from_scratch)
        return failed

    def _cancel(self, connection: sa.Connection, job_id: str) -> None:
        now, stored = self.clock.now(), self._locked(connection, job_id)
        job, state = stored.report.job, stored.report.state
        if state in ENDED:
            raise UserError(f"job {job_id} has already ended: it is {state}")
        cancel = jobs.withdraw_if_waiting if state == "pending" else jobs.cancel_if_running
        cancel(connection, job_id, now)
        tell(connection, "job.cancelled", job, now, message="Cancelled")
        batch_ended(connection, job.batch_id, now)

    def _retry(self, connection: sa.Connection, job_id: str, *, from_scratch: bool) -> int:
        now, stored = self.clock.now(), self._locked(connection, job_id)
        job, state = stored.report.job, stored.report.state
        if state != "failed":
            raise UserError(f"job {job_id} is {state}: only failed jobs can be retried")
        if from_scratch and stored.fingerprint is not None:
            stages.forget_stages(connection, stored.fingerprint)
        number = jobs.reopen_if_failed(connection, job_id, attempts_more=job.max_attempts, now=now)
        batches.reopen(connection, job.batch_id)
        self.tickets.write(connection, Ticket(job_id, number, job.queue, job.priority))
        tell(connection, "job.reopened", job, now, message="Queued again", attempt=number)
        return number

    def _locked(self, connection: sa.Connection, job_id: str) -> StoredJob:
        """The job as it stays until this transaction ends: what is decided from it must hold."""
        batches.lock(connection, self._found(connection, job_id).report.job.batch_id)
        jobs.lock(connection, job_id)
        return self._found(connection, job_id)

    def _found(self, connection: sa.Connection, job_id: str) -> StoredJob:
        stored = jobs.find(connection, job_id)
        if stored is None:
            raise UserError(f"there is no job {job_id!r}")
        return stored

    def _jobs_of(self, batch_id: str) -> list[StoredJob]:
        with self.database.read() as connection:
            if batches.find(connection, batch_id) is None:
                raise UserError(f"there is no batch {batch_id!r}")
            return list(jobs.of_batch(connection, batch_id))
