"""What people do to jobs that exist: cancel, retry, and let them run sooner or later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import sqlalchemy as sa

from renderkiln.database import attempts, batches, dependencies, jobs, moves, pictures, stages
from renderkiln.database.engine import Database
from renderkiln.database.jobs import StoredJob
from renderkiln.domain.clock import Clock
from renderkiln.domain.errors import UsageError, UserError
from renderkiln.domain.job import Job
from renderkiln.domain.states import ENDED
from renderkiln.engine import budget, dependents
from renderkiln.engine.announce import batch_ended, tell
from renderkiln.engine.persist import PEOPLE, persist
from renderkiln.engine.ticket import Ticket
from renderkiln.engine.tickets import Tickets

T = TypeVar("T")


class NoStage(UsageError):
    """A job has no stage of this name."""


@dataclass(frozen=True)
class Control:
    """Every verb raises UserError for a job that is not there or not in a state for it."""

    database: Database
    tickets: Tickets
    clock: Clock
    tries: Callable[[str], int]  # attempts that a job of this pipeline gets when it is queued again
    stages: Callable[[Job], Sequence[str]]  # the names of its stages in their order; raises UserError

    def cancel(self, job_id: str) -> None:
        """End a job that waits or runs. Whoever runs it hears of it within a second and stops."""
        # Listed before: a ticket that is written from now on is for a retry, and must stay.
        useless = self.tickets.of_job(job_id)
        self._persist(
            lambda c: self._cancel(c, job_id),
            done=lambda c, _: self._found(c, job_id).report.state == "cancelled",
        )
        self.tickets.take_back(useless)

    def retry(
        self,
        job_id: str,
        *,
        from_scratch: bool = False,
        from_stage: str | None = None,
        paid_by: str | None = None,
    ) -> int:
        """Queue a failed or cancelled job again; the number of its next attempt.

        It goes on at the stage where it ended, at an earlier one, or begins from scratch. Raises NoStage, and
        OverBudget where the key `paid_by` has a budget that does not allow it.
        """
        # None: nothing. Read before, for params may be large and never change.
        anew = () if from_scratch else None if from_stage is None else self._stages_from(job_id, from_stage)
        return self._persist(
            lambda c: self._retry(c, job_id, anew=anew, paid_by=paid_by),
            done=lambda c, number: self._found(c, job_id).report.attempt >= number,
        )

    def reprioritise(self, job_id: str, priority: int) -> None:
        """Let a waiting job run sooner or later; low numbers run first."""
        before = self.tickets.of_job(job_id)
        self._persist(lambda c: self._reprioritise(c, job_id, priority))
        self.tickets.take_back(before)

    def _cancel(self, connection: sa.Connection, job_id: str) -> None:
        now, stored = self.clock.now(), self._locked(connection, job_id)
        job, state = stored.report.job, stored.report.state
        if state in ENDED:
            raise UserError(f"job {job_id} has already ended: it is {state}")
        if state == "pending":
            moves.withdraw_if_waiting(connection, job_id, now)
        else:
            moves.cancel_if_running(connection, job_id, now)
            attempts.cancel_if_open(connection, job_id, stored.report.attempt, now)
            pictures.forget(connection, job_id)
        tell(connection, "job.cancelled", job, now, message="Cancelled")
        batch_ended(connection, job.batch_id, now)
        dependents.give_up(connection, job_id, "was cancelled", now)

    def _retry(
        self, connection: sa.Connection, job_id: str, *, anew: Sequence[str] | None, paid_by: str | None
    ) -> int:
        """`anew` are the stages whose kept work is forgotten: () is all of it, None is none."""
        now, stored = self.clock.now(), self._locked(connection, job_id)
        job, state = stored.report.job, stored.report.state
        if state not in ("failed", "cancelled"):
            raise UserError(f"job {job_id} is {state}: only failed and cancelled jobs can be retried")
        if paid_by is not None:
            budget.check(connection, paid_by, jobs.expected_cost(connection, job_id), now)
        unmet = dependencies.unmet(connection, [job_id]).get(job_id, {})
        for needed, how in unmet.items():
            if how in ENDED:
                raise UserError(f"job {job_id} needs job {needed}, which is {how}: retry that one first")
        if anew is not None and stored.fingerprint is not None:
            stages.forget_stages(connection, stored.fingerprint, anew or None)
        if anew is not None and stored.made:
            job = moves.forget_made_if_ended(connection, job_id)
        again = moves.reopen_if_failed if state == "failed" else moves.revive_if_cancelled
        number = again(connection, job_id, attempts_more=self.tries(job.pipeline), now=now)
        batches.reopen(connection, job.batch_id)
        if not unmet:
            self.tickets.write(connection, Ticket.of(job, number))
        message = f"Queued again, from the stage {anew[0]}" if anew else "Queued again"
        tell(connection, "job.reopened", job, now, message=message, attempt=number)
        dependents.take_up_again(connection, job_id, now, self.tries)
        return number

    def _reprioritise(self, connection: sa.Connection, job_id: str, priority: int) -> None:
        now, stored = self.clock.now(), self._locked(connection, job_id)
        job, state = stored.report.job, stored.report.state
        if state != "pending":
            raise UserError(f"job {job_id} is {state}: only the order of waiting jobs can be changed")
        moves.set_priority_if_waiting(connection, job_id, priority)
        if not dependencies.unmet(connection, [job_id]):
            delay = ((stored.not_before or now) - now).total_seconds()
            ticket = Ticket.of(replace(job, priority=priority), stored.report.attempt, delay)
            self.tickets.write(connection, ticket)

    def _stages_from(self, job_id: str, stage: str) -> Sequence[str]:
        """Its stages from this one on."""
        with self.database.read() as connection:
            job = self._found(connection, job_id).report.job
        names = self.stages(job)
        if stage not in names:
            raise NoStage(f"job {job_id} has no stage {stage!r}; there are: {', '.join(names)}")
        return names[names.index(stage) :]

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

    def _persist(
        self,
        write: Callable[[sa.Connection], T],
        *,
        done: Callable[[sa.Connection, T], bool] | None = None,
    ) -> T:
        return persist(self.database, self.clock, write, done=done, patience=PEOPLE)
