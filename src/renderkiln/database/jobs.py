"""Jobs: what is asked of them and how they stand. How they change: `moves`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from renderkiln.database import guard
from renderkiln.database.artifacts import of_jobs as artifacts_of_jobs
from renderkiln.database.costs import of_jobs as costs_of_jobs
from renderkiln.database.insert import insert_many
from renderkiln.database.schema import batches, jobs
from renderkiln.domain.artifact import Artifact
from renderkiln.domain.cost import Cost
from renderkiln.domain.errors import UserError
from renderkiln.domain.job import Input, Job
from renderkiln.domain.outcomes import Done
from renderkiln.domain.report import JobError, JobReport
from renderkiln.domain.states import EDGES, ENDED, STATES

_AT_ONCE = 500  # parameters of one statement
_FIND = sa.select(jobs).where(jobs.c.id == sa.bindparam("this"))
# Params may be large documents: who only shows how jobs stand does not wait for them.
SHOWN = sa.select(*(each for each in jobs.c if each is not jobs.c.params))
_FIND_SHOWN = SHOWN.where(jobs.c.id == sa.bindparam("this"))


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
    expected_cost: int | None = None  # billionths; of a job whose key has a budget
    traceparent: str | None = None  # of the trace it was asked for in


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
    rendered_in: str | None = None  # the queue that it was in, if it waits to be uploaded
    made: bool = False  # its files are there, though it is not completed: they are to be uploaded
    traceparent: str | None = None

    def waits_for(self, attempt: int) -> bool:
        """Whether anybody may take this attempt."""
        return (
            self.report.state == EDGES["start"][0] and self.owner is None and self.report.attempt == attempt
        )


def insert(connection: sa.Connection, new: Iterable[NewJob]) -> None:
    """Store jobs as pending at their first attempt. Raises UserError for an id that is taken."""
    try:
        insert_many(connection, sa.insert(jobs), list(new), _row)
    except sa.exc.IntegrityError:
        raise UserError(
            "the jobs were not stored: one of their ids is taken or named twice, or their batch is missing"
        ) from None


def find(connection: sa.Connection, id: str, *, params: bool = True) -> StoredJob | None:
    """The job, if there is one; if told so, to be shown only: without its params, which are {} then."""
    found = stored(connection, _FIND if params else _FIND_SHOWN, {"this": id})
    return found[0] if found else None


def find_all(connection: sa.Connection, ids: Sequence[str]) -> list[StoredJob]:
    """Those of the jobs `ids` that there are, in this order."""
    found: dict[str, StoredJob] = {}
    for start in range(0, len(ids), _AT_ONCE):
        few = sa.select(jobs).where(jobs.c.id.in_(ids[start : start + _AT_ONCE]))
        found |= {each.report.job.id: each for each in stored(connection, few)}
    return [found[id] for id in ids if id in found]


def of_batch(connection: sa.Connection, batch_id: str) -> list[StoredJob]:
    """All jobs of a batch, in their order."""
    return stored(connection, sa.select(jobs).where(jobs.c.batch_id == batch_id).order_by(jobs.c.position))


def still_held(connection: sa.Connection, owner: str) -> set[tuple[str, int]]:
    """Job and attempt of everything that this executor runs."""
    held = sa.select(jobs.c.id, jobs.c.attempt).where(jobs.c.owner == owner, jobs.c.state == guard.PROCESSING)
    return {(row.id, row.attempt) for row in connection.execute(held)}


def running(connection: sa.Connection) -> list[StoredJob]:
    """Everything that an executor runs, the longest running first."""
    held = sa.select(jobs).where(jobs.c.state == guard.PROCESSING, jobs.c.owner.is_not(None))
    return stored(connection, held.order_by(jobs.c.processed_at, jobs.c.id))


def waiting_for_owner(connection: sa.Connection, owner: str) -> list[StoredJob]:
    """Direct jobs that this executor has not begun, or will try again."""
    mine = (jobs.c.owner == owner, jobs.c.state == EDGES["start"][0])
    return stored(connection, sa.select(jobs).where(*mine).order_by(jobs.c.position))


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
        found += [(request[each.report.job.id], each) for each in stored(connection, query)]
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


def made(connection: sa.Connection, id: str) -> Done | None:
    """What a job has made that is not completed: its files are there, and wait to be uploaded."""
    row = connection.execute(sa.select(jobs.c.result, jobs.c.state).where(jobs.c.id == id)).first()
    if row is None or row.result is None or row.state == EDGES["complete"][1]:
        return None
    return Done(row.result, artifacts_of_jobs(connection, [id]).get(id, ()))


def waiting_hosts(connection: sa.Connection) -> set[str]:
    """The machines on which files wait to be uploaded."""
    # By a comparison: of IS NOT NULL, SQLite does not see that the index of hosts is the shortest way.
    waiting = (jobs.c.state == EDGES["start"][0], jobs.c.host > "", jobs.c.owner.is_(None))
    return set(connection.scalars(sa.select(jobs.c.host).where(*waiting).distinct()))


def lock(connection: sa.Connection, id: str) -> None:
    """Nobody else changes the job until this transaction ends. On SQLite a write transaction is alone."""
    connection.execute(sa.select(jobs.c.id).where(jobs.c.id == id).with_for_update())


def expected_cost(connection: sa.Connection, id: str) -> int:
    """What the job was expected to cost when it was queued, in billionths; 0 where nobody asked."""
    return connection.scalar(sa.select(jobs.c.expected_cost).where(jobs.c.id == id)) or 0


def expected_cost_of_open(connection: sa.Connection, account: str) -> int:
    """What the jobs of an account that have not ended will probably cost, in billionths."""
    open_ = (jobs.c.account == account, jobs.c.state.in_(sorted(set(STATES) - ENDED)))
    return int(connection.scalar(sa.select(sa.func.sum(jobs.c.expected_cost)).where(*open_)) or 0)


def waiting_since_before(connection: sa.Connection, moment: datetime, limit: int) -> list[StoredJob]:
    """Jobs in queues that could have begun before `moment`, the oldest first."""
    since = sa.func.coalesce(jobs.c.not_before, jobs.c.created_at, type_=jobs.c.created_at.type)
    waiting = (jobs.c.state == EDGES["start"][0], jobs.c.owner.is_(None), since < moment)
    return stored(connection, sa.select(jobs).where(*waiting).order_by(since, jobs.c.id).limit(limit))


def stored_of(row: sa.Row[Any], files: tuple[Artifact, ...] = (), cost: Cost | None = None) -> StoredJob:
    """The job that stands in this row, with its files and what it has cost."""
    return StoredJob(
        report=_report(row, files, cost),
        position=row.position,
        output_dir=Path(row.output_dir),
        not_before=row.not_before,
        direct=row.direct,
        owner=row.owner,
        crashes=row.crashes,
        fingerprint=row.fingerprint,
        rendered_in=row.rendered_in,
        made=row.result is not None and row.state != EDGES["complete"][1],
        traceparent=row.traceparent,
    )


def stored(
    connection: sa.Connection, query: sa.Select[Any], values: Mapping[str, Any] | None = None
) -> list[StoredJob]:
    """The jobs that this query of their table finds, with their files and what they have cost."""
    rows = connection.execute(query, values).all()
    ended = [row.id for row in rows if row.state == EDGES["complete"][1]]
    files = artifacts_of_jobs(connection, ended)
    tried = [row.id for row in rows if row.attempt > 1 or row.completed_at is not None]
    paid = costs_of_jobs(connection, tried)
    return [stored_of(row, files.get(row.id, ()), paid.get(row.id)) for row in rows]


def _report(row: sa.Row[Any], files: tuple[Artifact, ...], cost: Cost | None) -> JobReport:
    return JobReport(
        job=job_of(row),
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
        result=row.result if row.state == EDGES["complete"][1] else None,
        artifacts=files,
        warnings=row.warnings,
        reused=tuple(row.reused),
        left_out=row.left_out,
        cost=cost,
    )


def job_of(row: sa.Row[Any]) -> Job:
    """What is asked of the job in this row."""
    return Job(
        id=row.id,
        batch_id=row.batch_id,
        item_id=row.item_id,
        pipeline=row.pipeline,
        queue=row.queue,
        params=row._mapping.get("params", {}),
        inputs=tuple(map(_input, row.inputs)),
        created_at=row.created_at,
        format=row.format,
        label=row.label,
        priority=row.priority,
        max_attempts=row.max_attempts,
        metadata=row.metadata,
        account=row.account,
        host=row.host,
    )


def _input(text: str) -> Input:
    return Path(text) if text.startswith("/") else text


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
        "inputs": [str(each.absolute() if isinstance(each, Path) else each) for each in job.inputs],
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
        "account": job.account,
        "expected_cost": new.expected_cost,
        "traceparent": new.traceparent,
    }
