"""Every change of a job, with its guard in its name.

One raises Superseded, and changes nothing, where its guard does not hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from renderkiln.database import guard
from renderkiln.database.artifacts import replace as replace_artifacts
from renderkiln.database.jobs import StoredJob, job_of, stored_of
from renderkiln.database.schema import jobs, queues
from renderkiln.domain.artifact import Artifact
from renderkiln.domain.job import Job
from renderkiln.domain.report import JobError
from renderkiln.domain.states import EDGES, ENDED, JobState, Verb

_PENDING = EDGES["start"][0]
_new = sa.bindparam
_PAUSED = sa.exists().where(queues.c.name == jobs.c.queue, queues.c.paused)
_START = (
    sa.update(jobs)
    .where(
        jobs.c.id == _new("this"),
        jobs.c.state == _PENDING,
        jobs.c.attempt == _new("expected"),
        sa.or_(jobs.c.owner == _new("heir"), sa.and_(jobs.c.owner.is_(None), ~_PAUSED)),
    )
    .values(
        state=EDGES["start"][1],
        owner=_new("heir"),
        worker=_new("who"),
        not_before=None,
        started_at=sa.func.coalesce(jobs.c.started_at, _new("now", type_=jobs.c.started_at.type)),
        processed_at=_new("now", type_=jobs.c.processed_at.type),
    )
    .returning(*jobs.c)
)


_AT_HOME = {"queue": sa.func.coalesce(jobs.c.rendered_in, jobs.c.queue), "host": None, "rendered_in": None}


@dataclass(frozen=True)
class Released:
    """A job taken from a dead executor; `attempt` is the one to run now, `crashes` counts this death."""

    job: Job
    attempt: int
    direct: bool
    crashes: int


def start_if_waiting(
    connection: sa.Connection, id: str, attempt: int, owner: str, worker: str, now: datetime
) -> StoredJob:
    """Take this attempt for `owner`, unless its queue is paused; the job as it stands then.

    A direct job that waits for its retry is taken only by its own owner, and no pause holds it up.
    """
    values = {"this": id, "expected": attempt, "heir": owner, "who": worker, "now": now}
    row = connection.execute(_START, values).first()
    if row is None:
        raise guard.superseded(connection, id)
    return stored_of(row)


def adopt_if_held_by(connection: sa.Connection, id: str, owner: str | None, heir: str) -> None:
    """Let `heir` hold this job, which waits or ran for `owner` (None: for nobody), to run it here and now."""
    states = EDGES["put_back"]
    theirs = jobs.c.owner.is_(None) if owner is None else jobs.c.owner == owner
    guard.change(
        connection, id, jobs.c.state.in_(states), theirs, state=states[1], owner=heir, not_before=None
    )


def note_progress_if_held(
    connection: sa.Connection,
    id: str,
    attempt: int,
    owner: str,
    *,
    stage: str | None,
    progress: float,
    message: str,
) -> None:
    """How far the job is. `progress` is percent, clipped to 0 … 100, and never falls; NaN changes nothing."""
    percent = min(100.0, max(0.0, progress))  # of 0 and NaN, max takes the first
    guard.change_held(connection, id, attempt, owner, stage=stage, progress=percent, message=message)


def note_facts_if_held(
    connection: sa.Connection,
    id: str,
    attempt: int,
    owner: str,
    *,
    warnings: Mapping[str, str] | None = None,
    reused: Sequence[str] | None = None,
    left_out: Mapping[str, str] | None = None,
    fingerprint: str | None = None,
) -> None:
    """Replace what is given; the rest stays."""
    given: dict[str, Any] = {
        "warnings": None if warnings is None else dict(warnings),
        "reused": None if reused is None else list(reused),
        "left_out": None if left_out is None else dict(left_out),
        "fingerprint": fingerprint,
    }
    given = {name: value for name, value in given.items() if value is not None}
    if given:
        guard.change_held(connection, id, attempt, owner, **given)
    else:
        guard.lock_held(connection, id, attempt, owner)


def complete_if_held(
    connection: sa.Connection,
    id: str,
    attempt: int,
    owner: str,
    *,
    result: Mapping[str, Any],
    artifacts: Sequence[Artifact],
    now: datetime,
    queue: str | None = None,
) -> None:
    """End the job with its files; one that was uploaded goes back to its own `queue`, to be found there."""
    values = {"result": dict(result), "progress": 100.0, "message": "", "completed_at": now, "owner": None}
    if queue is not None:
        values |= {"queue": queue, "host": None, "rendered_in": None}
    guard.move_held(connection, "complete", id, attempt, owner, **values)
    replace_artifacts(connection, id, artifacts, now)


def note_made_if_held(
    connection: sa.Connection,
    id: str,
    attempt: int,
    owner: str,
    *,
    result: Mapping[str, Any],
    artifacts: Sequence[Artifact],
    queue: str,
    host: str,
    rendered_in: str,
    max_attempts: int,
    now: datetime,
) -> None:
    """Record that its files are made: whoever goes on only uploads them, in `queue` on their machine."""
    values = {"queue": queue, "host": host, "rendered_in": rendered_in, "max_attempts": max_attempts}
    guard.change_held(connection, id, attempt, owner, result=dict(result), **values)
    replace_artifacts(connection, id, artifacts, now)


def hand_over_if_held(
    connection: sa.Connection,
    id: str,
    attempt: int,
    owner: str,
    *,
    progress: float,
    message: str,
    now: datetime,
) -> None:
    """Let the job, whose files are made, wait for a worker on the machine that has them."""
    values = {"progress": progress, "message": message, "not_before": now, "stage": None, "owner": None}
    guard.move_held(connection, "put_back", id, attempt, owner, **values)


def forget_made_if_held(connection: sa.Connection, id: str, attempt: int, owner: str) -> Job:
    """Its files are gone: they are to be made anew. The job, in the queue where that is done."""
    held = (jobs.c.state == EDGES["start"][1], jobs.c.attempt == attempt, jobs.c.owner == owner)
    return _unmake(connection, id, *held)


def release_from_host(connection: sa.Connection, host: str, limit: int) -> list[StoredJob]:
    """Let `limit` jobs wait in their own queues, whose files wait on a machine that does not come back."""
    # Whoever takes one that still has its files, because the machine is back, only uploads them.
    return _change_on_host(connection, host, limit, _AT_HOME)


def rename_host(connection: sa.Connection, host: str, name: str, limit: int) -> list[StoredJob]:
    """Let `limit` jobs, whose files wait on a machine, wait for those who call it `name`."""
    return _change_on_host(connection, host, limit, {"host": name})


def forget_made_if_ended(connection: sa.Connection, id: str) -> Job:
    """The same for a job that is to be begun from scratch."""
    return _unmake(connection, id, jobs.c.state.in_(ENDED))


def fail_if_held(
    connection: sa.Connection, id: str, attempt: int, owner: str, *, error: JobError, now: datetime
) -> None:
    """End the job with the reason why it failed."""
    guard.move_held(
        connection,
        "fail",
        id,
        attempt,
        owner,
        error_code=error.code,
        error_message=error.message,
        message=error.message,
        completed_at=now,
        owner=None,
    )


def cancel_if_held(
    connection: sa.Connection, id: str, attempt: int, owner: str, *, message: str, now: datetime
) -> None:
    """End the job because it was stopped."""
    values = {"message": message, "completed_at": now, "owner": None}
    guard.move_held(connection, "cancel", id, attempt, owner, **values)


def put_back_if_held(
    connection: sa.Connection,
    id: str,
    attempt: int,
    owner: str,
    *,
    next_attempt: int,
    not_before: datetime,
    message: str,
    owner_after: str | None = None,
) -> None:
    """Let the job wait for its next attempt; a direct job keeps its owner as `owner_after`."""
    values = {"attempt": next_attempt, "not_before": not_before, "message": message, "owner": owner_after}
    guard.move_held(connection, "put_back", id, attempt, owner, **values)


def hand_back_if_held(connection: sa.Connection, id: str, attempt: int, owner: str, message: str) -> None:
    """Let somebody else go on with the same attempt: this executor is shutting down in order."""
    guard.move_held(connection, "put_back", id, attempt, owner, message=message, owner=None)


def cancel_if_running(
    connection: sa.Connection, id: str, now: datetime, *, message: str = "Cancelled"
) -> None:
    """End a job that somebody else runs; its executor sees by `still_held` that it lost it."""
    guard.move(connection, "cancel", id, message=message, completed_at=now, owner=None)


def withdraw_if_waiting(
    connection: sa.Connection,
    id: str,
    now: datetime,
    *,
    message: str = "Cancelled",
    error: JobError | None = None,
) -> None:
    """End a job that waits, for the reason `error` if it is not that somebody wished so."""
    guard.move(
        connection,
        "withdraw",
        id,
        message=message,
        error_code=error and error.code,
        error_message=error and error.message,
        completed_at=now,
        owner=None,
    )


def reopen_if_failed(connection: sa.Connection, id: str, *, attempts_more: int, now: datetime) -> int:
    """Let a failed job wait again, for `attempts_more` further attempts; the number of the next one."""
    return _wait_again(connection, "reopen", id, attempts_more, now)


def revive_if_cancelled(connection: sa.Connection, id: str, *, attempts_more: int, now: datetime) -> int:
    """The same for a cancelled job."""
    return _wait_again(connection, "revive", id, attempts_more, now)


def _unmake(connection: sa.Connection, id: str, *conditions: sa.ColumnElement[bool]) -> Job:
    this = sa.update(jobs).where(jobs.c.id == id, *conditions)
    row = connection.execute(this.values(**_AT_HOME, result=sa.null()).returning(*jobs.c)).first()
    if row is None:
        raise guard.superseded(connection, id)
    replace_artifacts(connection, id, (), row.created_at)
    return job_of(row)


def _wait_again(connection: sa.Connection, verb: Verb, id: str, attempts_more: int, now: datetime) -> int:
    guard.move(
        connection,
        verb,
        id,
        attempt=jobs.c.attempt + 1,
        max_attempts=jobs.c.attempt + attempts_more,  # on the right hand, the old number
        not_before=now,
        completed_at=None,
        error_code=None,
        error_message=None,
        message="",
        stage=None,
        progress=0.0,
        crashes=0,
    )
    attempt: int = connection.execute(sa.select(jobs.c.attempt).where(jobs.c.id == id)).scalar_one()
    return attempt


def release_from_dead(connection: sa.Connection, dead_owner: str, now: datetime) -> list[Released]:
    """Take everything from a dead executor, the most urgent first. Of two sweepers, one gets each job."""
    running, waiting = EDGES["put_back"]
    freed = _take_from(connection, dead_owner, waiting, {"owner": None})
    crashes = jobs.c.crashes + 1
    values = {"state": waiting, "owner": None, "crashes": crashes, "not_before": now}
    freed += _take_from(connection, dead_owner, running, values)
    freed.sort(key=lambda row: (row.priority, row.created_at, row.position))
    return [Released(job_of(row), row.attempt, row.direct, row.crashes) for row in freed]


def set_priority_if_waiting(connection: sa.Connection, id: str, priority: int) -> None:
    """Low numbers run first."""
    guard.change(connection, id, jobs.c.state == _PENDING, priority=priority)


def _change_on_host(
    connection: sa.Connection, host: str, limit: int, values: Mapping[str, Any]
) -> list[StoredJob]:
    waiting = (jobs.c.host == host, jobs.c.state == _PENDING, jobs.c.owner.is_(None))
    few = sa.select(jobs.c.id).where(*waiting).order_by(jobs.c.id).limit(limit).with_for_update()
    moved = sa.update(jobs).where(jobs.c.id.in_(few), *waiting).values(values).returning(*jobs.c)
    return [stored_of(row) for row in connection.execute(moved)]


def _take_from(
    connection: sa.Connection, owner: str, state: JobState, values: Mapping[str, Any]
) -> list[sa.Row[Any]]:
    theirs = (jobs.c.owner == owner, jobs.c.state == state)
    # One order of locking for all, or two sweepers could wait for each other on Postgres. The guard stands
    # outside too, so that the change is safe by itself.
    locked = sa.select(jobs.c.id).where(*theirs).order_by(jobs.c.id).with_for_update()
    taken = sa.update(jobs).where(jobs.c.id.in_(locked), *theirs).values(values).returning(*jobs.c)
    return list(connection.execute(taken))
