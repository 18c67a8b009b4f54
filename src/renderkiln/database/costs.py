"""What attempts have cost: written when they end and never changed, whatever prices become.

These rows outlive their jobs: sums of a year must not shrink when records of jobs expire.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa

from renderkiln.database.schema import costs
from renderkiln.domain.cost import Cost
from renderkiln.domain.job import Job

By = Literal["account", "pipeline", "day"]

_AT_ONCE = 500  # parameters of one statement
_COLUMNS = {"account": costs.c.account, "pipeline": costs.c.pipeline, "day": costs.c.day}
_PARTS = [sa.func.sum(costs.c[name]).label(name) for name in ("cpu", "stored", "sent", "services")]
_WHOLE = costs.c.cpu + costs.c.stored + costs.c.sent + costs.c.services


@dataclass(frozen=True)
class Sum:
    """What everything with this `name` has cost: an account, a pipeline or a day."""

    name: str
    jobs: int
    attempts: int
    cost: Cost

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "jobs": self.jobs,
            "attempts": self.attempts,
            "cost": self.cost.to_json(),
        }


def insert(
    connection: sa.Connection, job: Job, attempt: int, account: str, cost: Cost, now: datetime
) -> None:
    """Write down what an attempt has cost that `account` asked for."""
    connection.execute(
        sa.insert(costs).values(
            at=now,
            day=f"{now.astimezone(UTC):%Y-%m-%d}",
            job_id=job.id,
            attempt=attempt,
            batch_id=job.batch_id,
            account=account,
            pipeline=job.pipeline,
            currency=cost.currency,
            cpu=cost.cpu,
            stored=cost.stored,
            sent=cost.sent,
            services=cost.services,
        )
    )


def of_jobs(connection: sa.Connection, ids: Sequence[str]) -> dict[str, Cost]:
    """What all attempts at these jobs have cost; jobs that cost nothing are missing."""
    return _of_each(connection, costs.c.job_id, ids)


def of_batches(connection: sa.Connection, ids: Sequence[str]) -> dict[str, Cost]:
    """What all jobs of these batches have cost; batches that cost nothing are missing."""
    return _of_each(connection, costs.c.batch_id, ids)


def of_attempts(connection: sa.Connection, job_id: str) -> dict[int, Cost]:
    """What each attempt at a job has cost."""
    return {row.name: _cost(row) for row in _sums(connection, costs.c.attempt, costs.c.job_id == job_id)}


def spent(connection: sa.Connection, account: str, currency: str, since: datetime | None) -> int:
    """What an account has spent from then on, in billionths."""
    conditions = [costs.c.account == account, costs.c.currency == currency]
    if since is not None:
        conditions.append(costs.c.at >= since)
    found = connection.scalar(sa.select(sa.func.sum(_WHOLE)).where(*conditions))
    return int(found or 0)


def sums(
    connection: sa.Connection, by: By, *, since: datetime | None = None, until: datetime | None = None
) -> list[Sum]:
    """All that was spent from `since` on and before `until`; days in their order, else the most first."""
    conditions = [costs.c.at >= since] if since is not None else []
    conditions += [costs.c.at < until] if until is not None else []
    found = [
        Sum(row.name, row.jobs, row.attempts, _cost(row))
        for row in _sums(connection, _COLUMNS[by], *conditions)
    ]
    return sorted(found, key=lambda each: each.name if by == "day" else (-each.cost.total, each.name))


def _of_each(connection: sa.Connection, column: sa.ColumnElement[str], ids: Sequence[str]) -> dict[str, Cost]:
    found: dict[str, Cost] = {}
    for start in range(0, len(ids), _AT_ONCE):
        few = column.in_(ids[start : start + _AT_ONCE])
        found |= {row.name: _cost(row) for row in _sums(connection, column, few)}
    return found


def _sums(
    connection: sa.Connection, column: sa.ColumnElement[Any], *conditions: sa.ColumnElement[bool]
) -> Sequence[sa.Row[Any]]:
    """By `column` and currency; what was charged last comes last."""
    counts = (
        sa.func.count(sa.distinct(costs.c.job_id)).label("jobs"),
        sa.func.count().label("attempts"),
    )
    query = sa.select(column.label("name"), costs.c.currency, *counts, *_PARTS).where(*conditions)
    grouped = query.group_by(column, costs.c.currency).order_by(sa.func.max(costs.c.seq))
    return connection.execute(grouped).all()


def _cost(row: sa.Row[Any]) -> Cost:
    # Postgres adds whole numbers up to a Decimal.
    return Cost(row.currency, int(row.cpu), int(row.stored), int(row.sent), int(row.services))
