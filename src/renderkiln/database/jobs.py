"""Jobs: what is asked of them, and every change with its guard in its name.

A verb with a guard raises Superseded, and changes nothing, where the guard does not hold.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from renderkiln.database import guard
from renderkiln.database.artifacts import insert as insert_artifacts
from renderkiln.database.artifacts import of_jobs as artifacts_of_jobs
from renderkiln.database.schema import batches, jobs
from renderkiln.domain.artifact import Artifact
from renderkiln.domain.errors import UserError
from renderkiln.domain.job import Job
from renderkiln.domain.report import JobError, JobReport
from renderkiln.domain.states import EDGES, ENDED, JobState, Verb

_AT_ONCE = 500  # parameters of one statement


@dataclass(frozen=True)
class NewJob:
    """A job to be stored. `owner` is the executor that holds a direct job, which is in no queue."""

    job: Job
    position: int
    output_dir: Path
    not_before: datetime | None = None  # aware
    direct: bool = False
    owner: str | None = None
    request_sha256: str | None = None  # of what a direct job was asked for


@dataclass(frozen=True)
class StoredJob:
    """A job as it stands. `crashes` is how often its worker died."""

    report: JobReport
    position: int
    output_dir: Path
    not_before: datetime | None
    direct: bool
    owner: str | None
    crashes: int
    fingerprint: str | None

    def waits_for(self, attempt: int) -> bool:
        """Whether anybody may take this attempt."""
        return (
            self.report.state == EDGES["start"][0] and self.owner is None and self.report.attempt == attempt
        )


@dataclass(frozen=True)
class Released:
    """A job taken from a dead executor; `attempt` is the one to run now, `crashes` counts this death."""

    job: Job
    attempt: int
    direct: bool
    crashes: int


class Cursor(NamedTuple):
    """Where a page ends: what comes after it is older."""

    created_at: datetime
    id: str


def insert(connection: sa.Connection, new: Iterable[NewJob]) -> None:
    """Store jobs as pending at their first attempt. Raises UserError for an id that is taken."""
    rows = [_row(each) for each in new]
    if not rows:
        return
    try:
        connection.execute(sa.insert(jobs), rows)
    except sa.exc.IntegrityError:
        raise UserError(
            "the jobs were not stored: one of their ids is taken or named twice, or their batch is missing"
        ) from None


def find(connection: sa.Connection, id: str) -> StoredJob | None:
    """The job, if there is one."""
    found = _stored(connection, sa.select(jobs).where(jobs.c.id == id))
    return found[0] if found else None


def find_all(connection: sa.Connection, ids: Sequence[str]) -> list[StoredJob]:
    """Those of the jobs `ids` that there are, in this order."""
    found: dict[str, StoredJob] = {}
    for start in range(0, len(ids), _AT_ONCE):
        few = sa.select(jobs).where(jobs.c.id.in_(ids[start : start + _AT_ONCE]))
        found |= {each.report.job.id: each for each in _stored(connection, few)}
    return [found[id] for id in ids if id in found]


def page(
    connection: sa.Connection,
    *,
    states: Collection[JobState] = (),
    queue: str | None = None,
    batch_id: str | None = None,
    pipeline: str | None = None,
    text: str | None = None,
    before: Cursor | None = None,
    limit: int = 100,
) -> list[StoredJob]:
    """The newest jobs first, those older than `before`. `text` is looked for in ids and labels."""
    query = sa.select(jobs).order_by(jobs.c.created_at.desc(), jobs.c.id.desc()).limit(limit)
    for column, wanted in ((jobs.c.queue, queue), (jobs.c.batch_id, batch_id), (jobs.c.pipeline, pipeline)):
        if wanted is not None:
            query = query.where(column == wanted)
    if states:
        query = query.where(jobs.c.state.in_(states))
    if text:
        query = query.where(
            jobs.c.id.icontains(text, autoescape=True) | jobs.c.label.icontains(text, autoescape=True)
        )
    if before is not None:
        query = query.where(
            (jobs.c.created_at < before.created_at)
            | ((jobs.c.created_at == before.created_at) & (jobs.c.id < before.id))
        )
    return _stored(connection, query)


def of_batch(connection: sa.Connection, batch_id: str) -> list[StoredJob]:
    """All jobs of a batch, in their order."""
    return _stored(connection, sa.select(jobs).where(jobs.c.batch_id == batch_id).order_by(jobs.c.position))


def start_if_waiting(
    connection: sa.Connection, id: str, attempt: int, owner: str, worker: str, now: datetime
) -> JobReport:
    """Take this attempt for `owner`. A direct job that waits for its retry is taken only by its own owner."""
    guard.move(
        connection,
        "start",
        id,
        jobs.c.attempt == attempt,
        jobs.c.owner.is_(None) | (jobs.c.owner == owner),
        owner=owner,
        worker=worker,
        not_before=None,
        started_at=sa.func.coalesce(jobs.c.started_at, sa.bindparam(None, now, jobs.c.started_at.type)),
        processed_at=now,
    )
    return _stored(connection, sa.select(jobs).where(jobs.c.id == id))[0].report


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
    further = sa.case((jobs.c.progress < percent, percent), else_=jobs.c.progress)
    held = guard.holds(attempt, owner)
    guard.change(connection, id, held, stage=stage, progress=further, message=message)


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
        guard.change(connection, id, guard.holds(attempt, owner), **given)
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
) -> None:
    """End the job with its files."""
    held = guard.holds(attempt, owner)
    values = {"result": dict(result), "progress": 100.0, "message": "", "completed_at": now, "owner": None}
    guard.move(connection, "complete", id, held, **values)
    insert_artifacts(connection, id, artifacts, now)


def fail_if_held(
    connection: sa.Connection, id: str, attempt: int, owner: str, *, error: JobError, now: datetime
) -> None:
    """End the job with the reason why it failed."""
    guard.move(
        connection,
        "fail",
        id,
        guard.holds(attempt, owner),
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
    held = guard.holds(attempt, owner)
    guard.move(connection, "cancel", id, held, message=message, completed_at=now, owner=None)


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
    guard.move(
        connection,
        "put_back",
        id,
        guard.holds(attempt, owner),
        attempt=next_attempt,
        not_before=not_before,
        message=message,
        owner=owner_after,
    )


def hand_back_if_held(connection: sa.Connection, id: str, attempt: int, owner: str, message: str) -> None:
    """Let somebody else go on with the same attempt: this executor is shutting down in order."""
    guard.move(connection, "put_back", id, guard.holds(attempt, owner), message=message, owner=None)


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
    return [Released(_job(row), row.attempt, row.direct, row.crashes) for row in freed]


def still_held(connection: sa.Connection, owner: str) -> set[tuple[str, int]]:
    """Job and attempt of everything that this executor runs."""
    held = sa.select(jobs.c.id, jobs.c.attempt).where(jobs.c.owner == owner, jobs.c.state == guard.PROCESSING)
    return {(row.id, row.attempt) for row in connection.execute(held)}


def waiting_for_owner(connection: sa.Connection, owner: str) -> list[StoredJob]:
    """Direct jobs that this executor has not begun, or will try again."""
    mine = (jobs.c.owner == owner, jobs.c.state == EDGES["start"][0])
    return _stored(connection, sa.select(jobs).where(*mine).order_by(jobs.c.position))


def direct_of_open_batches(
    connection: sa.Connection, requests: Collection[str]
) -> list[tuple[str, StoredJob]]:
    """Direct jobs that asked for one of these, in batches that have not ended; with it, the oldest first."""
    found: list[tuple[str, StoredJob]] = []
    asked = list(dict.fromkeys(requests))
    for start in range(0, len(asked), _AT_ONCE):
        few = jobs.c.request_sha256.in_(asked[start : start + _AT_ONCE])
        of_open = sa.exists().where(batches.c.id == jobs.c.batch_id, batches.c.completed_at.is_(None))
        query = sa.select(jobs).where(few, of_open).order_by(jobs.c.created_at, jobs.c.position)
        request = {row.id: row.request_sha256 for row in connection.execute(query)}
        found += [(request[each.report.job.id], each) for each in _stored(connection, query)]
    return found


def owners(connection: sa.Connection) -> set[str]:
    """Every executor that holds a job."""
    return set(connection.scalars(sa.select(jobs.c.owner).where(jobs.c.owner.is_not(None)).distinct()))


def fingerprints_in_use(connection: sa.Connection) -> set[str]:
    """Fingerprints of all jobs that have not ended."""
    open_ = (jobs.c.state.not_in(ENDED), jobs.c.fingerprint.is_not(None))
    return set(connection.scalars(sa.select(jobs.c.fingerprint).where(*open_)))


def is_fingerprint_in_use(connection: sa.Connection, fingerprint: str, *, besides: str) -> bool:
    """Whether a job that has not ended, other than `besides`, has this fingerprint."""
    others = (jobs.c.fingerprint == fingerprint, jobs.c.state.not_in(ENDED), jobs.c.id != besides)
    return connection.execute(sa.select(jobs.c.id).where(*others).limit(1)).first() is not None


def lock(connection: sa.Connection, id: str) -> None:
    """Nobody else changes the job until this transaction ends. On SQLite a write transaction is alone."""
    connection.execute(sa.select(jobs.c.id).where(jobs.c.id == id).with_for_update())


def set_priority_if_waiting(connection: sa.Connection, id: str, priority: int) -> None:
    """Low numbers run first."""
    guard.change(connection, id, jobs.c.state == EDGES["start"][0], priority=priority)


def counts(connection: sa.Connection) -> Mapping[str, Mapping[JobState, int]]:
    """How many jobs of each queue are in each state; what is zero is missing."""
    grouped = sa.select(jobs.c.queue, jobs.c.state, sa.func.count()).group_by(jobs.c.queue, jobs.c.state)
    found: defaultdict[str, dict[JobState, int]] = defaultdict(dict)
    for queue, state, number in connection.execute(grouped):
        found[queue][state] = number
    return dict(found)


def oldest_waiting(connection: sa.Connection) -> Mapping[str, datetime]:
    """By queue, since when its oldest waiting job could have begun; in the future where all are scheduled.

    Those that somebody holds, to run them here and now, are not the queue's.
    """
    since = sa.func.coalesce(jobs.c.not_before, jobs.c.created_at)
    oldest = sa.func.min(since, type_=jobs.c.created_at.type).label("since")
    waiting = sa.and_(jobs.c.state == EDGES["start"][0], jobs.c.owner.is_(None))
    found = connection.execute(sa.select(jobs.c.queue, oldest).where(waiting).group_by(jobs.c.queue))
    return {row.queue: row.since for row in found}


def waiting_since_before(connection: sa.Connection, moment: datetime, limit: int) -> list[StoredJob]:
    """Jobs in queues that could have begun before `moment`, the oldest first."""
    since = sa.func.coalesce(jobs.c.not_before, jobs.c.created_at, type_=jobs.c.created_at.type)
    waiting = (jobs.c.state == EDGES["start"][0], jobs.c.owner.is_(None), since < moment)
    return _stored(connection, sa.select(jobs).where(*waiting).order_by(since, jobs.c.id).limit(limit))


def _take_from(
    connection: sa.Connection, owner: str, state: JobState, values: Mapping[str, Any]
) -> list[sa.Row[Any]]:
    theirs = (jobs.c.owner == owner, jobs.c.state == state)
    # One order of locking for all, or two sweepers could wait for each other on Postgres. The guard stands
    # outside too, so that the change is safe by itself.
    locked = sa.select(jobs.c.id).where(*theirs).order_by(jobs.c.id).with_for_update()
    taken = sa.update(jobs).where(jobs.c.id.in_(locked), *theirs).values(values).returning(*jobs.c)
    return list(connection.execute(taken))


def _stored(connection: sa.Connection, query: sa.Select[Any]) -> list[StoredJob]:
    rows = connection.execute(query).all()
    ended = [row.id for row in rows if row.state == EDGES["complete"][1]]
    files = artifacts_of_jobs(connection, ended)
    return [
        StoredJob(
            report=_report(row, files.get(row.id, ())),
            position=row.position,
            output_dir=Path(row.output_dir),
            not_before=row.not_before,
            direct=row.direct,
            owner=row.owner,
            crashes=row.crashes,
            fingerprint=row.fingerprint,
        )
        for row in rows
    ]


def _report(row: sa.Row[Any], files: tuple[Artifact, ...]) -> JobReport:
    return JobReport(
        job=_job(row),
        state=row.state,
        stage=row.stage,
        progress=row.progress,
        message=row.message,
        attempt=row.attempt,
        worker=row.worker,
        started_at=row.started_at,
        processed_at=row.processed_at,
        completed_at=row.completed_at,
        error=None if row.error_code is None else JobError(row.error_code, row.error_message),
        result=row.result,
        artifacts=files,
        warnings=row.warnings,
        reused=tuple(row.reused),
        left_out=row.left_out,
    )


def _job(row: sa.Row[Any]) -> Job:
    return Job(
        id=row.id,
        batch_id=row.batch_id,
        item_id=row.item_id,
        pipeline=row.pipeline,
        queue=row.queue,
        params=row.params,
        inputs=tuple(Path(path) for path in row.inputs),
        created_at=row.created_at,
        format=row.format,
        label=row.label,
        priority=row.priority,
        max_attempts=row.max_attempts,
        metadata=row.metadata,
    )


def _row(new: NewJob) -> dict[str, Any]:
    job = new.job
    return {
        "id": job.id,
        "batch_id": job.batch_id,
        "position": new.position,
        "item_id": job.item_id,
        "format": job.format,
        "pipeline": job.pipeline,
        "queue": job.queue,
        "params": dict(job.params),
        "inputs": [str(path.absolute()) for path in job.inputs],
        "output_dir": str(new.output_dir),
        "label": job.label,
        "priority": job.priority,
        "max_attempts": job.max_attempts,
        "metadata": dict(job.metadata),
        "created_at": job.created_at,
        "not_before": new.not_before,
        "direct": new.direct,
        "state": EDGES["start"][0],
        "attempt": 1,
        "owner": new.owner,
        "request_sha256": new.request_sha256,
        "crashes": 0,
        "progress": 0.0,
        "message": "",
        "warnings": {},
        "reused": [],
        "left_out": {},
    }
