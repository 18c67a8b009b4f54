"""Jobs that need another one: they begin when it is completed, and end when it can no longer be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa

from renderkiln.database import batches, dependencies, jobs, moves
from renderkiln.database.jobs import StoredJob
from renderkiln.domain.report import JobError
from renderkiln.engine.announce import batch_ended, tell
from renderkiln.engine.ticket import Ticket, Write

NEEDS = "NEEDS"  # the error code of a job that ended because one it needs did


def release(connection: sa.Connection, completed: str, now: datetime, write: Write) -> None:
    """Queue the jobs that waited for `completed`, and for nothing else any more."""
    waiting = _in_state(connection, completed, "pending")
    unmet = dependencies.unmet(connection, [each.report.job.id for each in waiting])
    for each in waiting:
        if each.report.job.id not in unmet:
            begins = each.not_before or now
            delay = (begins - now).total_seconds()
            write(connection, Ticket.of(each.report.job, each.report.attempt, delay))


def give_up(connection: sa.Connection, ended: str, how: str, now: datetime) -> None:
    """End the jobs that wait for `ended`, and those that wait for them: it will not be completed."""
    for each in _in_state(connection, ended, "pending"):
        job = each.report.job
        error = JobError(NEEDS, f"It needs job {ended}, which {how}")
        batches.lock(connection, job.batch_id)
        moves.withdraw_if_waiting(connection, job.id, now, message=error.message, error=error)
        tell(connection, "job.cancelled", job, now, message=error.message, code=NEEDS)
        batch_ended(connection, job.batch_id, now)
        give_up(connection, job.id, "was cancelled", now)


def take_up_again(
    connection: sa.Connection, reopened: str, now: datetime, tries: Callable[[str], int]
) -> None:
    """Let the jobs wait again that were given up because of this one."""
    for each in _in_state(connection, reopened, "cancelled"):
        job, error = each.report.job, each.report.error
        if error is None or error.code != NEEDS:
            continue
        batches.lock(connection, job.batch_id)
        moves.revive_if_cancelled(connection, job.id, attempts_more=tries(job.pipeline), now=now)
        batches.reopen(connection, job.batch_id)
        tell(connection, "job.reopened", job, now, message=f"Waits for job {reopened} again")
        take_up_again(connection, job.id, now, tries)


def _in_state(connection: sa.Connection, id: str, state: str) -> list[StoredJob]:
    found = (jobs.find(connection, each) for each in dependencies.dependents(connection, id))
    return [each for each in found if each is not None and each.report.state == state]
