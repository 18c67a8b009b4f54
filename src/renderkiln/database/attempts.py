"""Attempts: who tried, how it ended, and what it used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from renderkiln.database.insert import insert_into
from renderkiln.database.schema import attempts
from renderkiln.domain.cost import Cost
from renderkiln.domain.report import iso
from renderkiln.domain.work import Work

_ENDING = (
    "ended_at",
    "outcome",
    "code",
    "message",
    "seconds",
    "cpu_seconds",
    "peak_bytes",
    "bytes_in",
    "bytes_out",
    "process_id",
    "kind",
    "units",
    "unit",
)
_EMPTY = {column.name: None for column in attempts.c if column.nullable}
_END = (
    sa.update(attempts)
    .where(attempts.c.job_id == sa.bindparam("this_job"), attempts.c.number == sa.bindparam("this_number"))
    .values({name: sa.bindparam(f"new_{name}") for name in _ENDING})
)

AttemptOutcome = Literal["completed", "failed", "retrying", "cancelled", "lost", "handed_over", "handed_back"]


@dataclass(frozen=True)
class AttemptRow:
    """One attempt at a job. `process_id` is of the FFmpeg or stage that runs now."""

    job_id: str
    number: int
    owner: str
    worker: str
    started_at: datetime
    ended_at: datetime | None
    outcome: AttemptOutcome | None
    code: str | None
    message: str
    seconds: float | None
    cpu_seconds: float | None
    peak_bytes: int | None
    bytes_in: int | None
    bytes_out: int | None
    process_id: int | None
    kind: str | None = None
    units: float | None = None
    unit: str | None = None

    def to_json(self, cost: Cost | None) -> dict[str, Any]:
        """With what it has cost."""
        return {
            "number": self.number,
            "outcome": self.outcome,
            "worker": self.worker,
            "startedAt": iso(self.started_at),
            "endedAt": iso(self.ended_at),
            "error": {"code": self.code, "message": self.message} if self.code else None,
            "seconds": self.seconds,
            "cpuSeconds": self.cpu_seconds,
            "peakBytes": self.peak_bytes,
            "bytesIn": self.bytes_in,
            "bytesOut": self.bytes_out,
            "processId": self.process_id,
            "cost": None if cost is None else cost.to_json(),
        }


@dataclass(frozen=True)
class Sample:
    """What so many units of one kind of work have taken."""

    units: float
    seconds: float
    cpu_seconds: float
    bytes_out: int


def begin(
    connection: sa.Connection, job_id: str, number: int, owner: str, worker: str, now: datetime
) -> None:
    """Record the start; an attempt that was taken over or handed back begins again."""
    fresh = {"owner": owner, "worker": worker, "started_at": now, "message": ""}
    connection.execute(
        _begin(connection.dialect.name), {"job_id": job_id, "number": number, **_EMPTY, **fresh}
    )


def go_on(connection: sa.Connection, job_id: str, number: int, owner: str, worker: str) -> AttemptRow | None:
    """Record that `owner` goes on with it: what was used so far still counts. None if it was never begun."""
    values = {"owner": owner, "worker": worker, "ended_at": None, "outcome": None, "process_id": None}
    changed = sa.update(attempts).where(_this(job_id, number)).values(values).returning(*attempts.c)
    row = connection.execute(changed).first()
    return None if row is None else AttemptRow(**row._mapping)


def end(
    connection: sa.Connection,
    job_id: str,
    number: int,
    *,
    outcome: AttemptOutcome,
    code: str | None = None,
    message: str = "",
    seconds: float | None = None,
    cpu_seconds: float | None = None,
    peak_bytes: int | None = None,
    bytes_in: int | None = None,
    bytes_out: int | None = None,
    work: Work | None = None,
    now: datetime,
) -> None:
    """Record the end. To be called once the job itself was moved, which guards it.

    With `work` it is a measure for other jobs.
    """
    values = {
        "ended_at": now,
        "outcome": outcome,
        "code": code,
        "message": message,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "peak_bytes": peak_bytes,
        "bytes_in": bytes_in,
        "bytes_out": bytes_out,
        "process_id": None,
        "kind": None if work is None else work.kind,
        "units": None if work is None else work.units,
        "unit": None if work is None else work.unit,
    }
    connection.execute(_END, {"this_job": job_id, "this_number": number, **_new(values)})


def cancel_if_open(connection: sa.Connection, job_id: str, number: int, now: datetime) -> None:
    """Record that its job was cancelled by somebody else than who runs it. What it has used comes later."""
    values = {"ended_at": now, "outcome": "cancelled", "message": "Cancelled", "process_id": None}
    open_one = sa.update(attempts).where(_this(job_id, number), attempts.c.ended_at.is_(None))
    connection.execute(open_one.values(values))


def account_if_cancelled(
    connection: sa.Connection,
    job_id: str,
    number: int,
    owner: str,
    *,
    seconds: float,
    cpu_seconds: float,
    peak_bytes: int,
    bytes_in: int,
) -> bool:
    """Record what a cancelled attempt of `owner` has used, once; whether it was one."""
    mine = (_this(job_id, number), attempts.c.owner == owner, attempts.c.outcome == "cancelled")
    used = {"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_bytes": peak_bytes, "bytes_in": bytes_in}
    late = sa.update(attempts).where(*mine, attempts.c.seconds.is_(None)).values(used)
    return connection.execute(late).rowcount == 1


def was_ended(connection: sa.Connection, job_id: str, number: int, owner: str, *, at: datetime) -> bool:
    """Whether it was `owner` who has ended it, at this very moment."""
    theirs = (_this(job_id, number), attempts.c.owner == owner, attempts.c.ended_at == at)
    return connection.execute(sa.select(attempts.c.number).where(*theirs)).first() is not None


def note_process(connection: sa.Connection, job_id: str, number: int, process_id: int | None) -> None:
    """Which process runs for this attempt now; None when it ended. An attempt that ended has none."""
    running = sa.update(attempts).where(_this(job_id, number), attempts.c.ended_at.is_(None))
    connection.execute(running.values(process_id=process_id))


def of_job(connection: sa.Connection, job_id: str) -> list[AttemptRow]:
    """All attempts at a job, the first one first."""
    ordered = sa.select(attempts).where(attempts.c.job_id == job_id).order_by(attempts.c.number)
    return [AttemptRow(**row._mapping) for row in connection.execute(ordered)]


def samples(connection: sa.Connection, kind: str, limit: int) -> list[Sample]:
    """What the latest attempts at this kind of work have taken, the newest first."""
    columns = (attempts.c.units, attempts.c.seconds, attempts.c.cpu_seconds, attempts.c.bytes_out)
    completed = (attempts.c.kind == kind, attempts.c.units > 0, attempts.c.outcome == "completed")
    measured = sa.select(*columns).where(*completed)
    newest = measured.order_by(attempts.c.ended_at.desc()).limit(limit)
    return [Sample(**row._mapping) for row in connection.execute(newest)]


def mark_lost(connection: sa.Connection, lost: Iterable[tuple[str, int]], now: datetime) -> None:
    """Record that the executor of these attempts, by job id and number, died."""
    for job_id, number in lost:
        running = sa.update(attempts).where(_this(job_id, number), attempts.c.ended_at.is_(None))
        connection.execute(running.values(ended_at=now, outcome="lost", process_id=None))


@cache
def _begin(dialect: str) -> postgresql.Insert | sqlite.Insert:
    row = insert_into(dialect, attempts)
    changed = {column.name: row.excluded[column.name] for column in attempts.c if not column.primary_key}
    key = [attempts.c.job_id, attempts.c.number]
    return row.on_conflict_do_update(index_elements=key, set_=changed)


def _new(values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"new_{name}": value for name, value in values.items()}


def _this(job_id: str, number: int) -> sa.ColumnElement[bool]:
    return sa.and_(attempts.c.job_id == job_id, attempts.c.number == number)
