"""Which jobs came and went since a moment, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from renderkiln.database.schema import jobs
from renderkiln.domain.states import ENDED, JobState


@dataclass(frozen=True)
class Passed:
    """A job that runs, or ended since."""

    queue: str
    state: JobState
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None


def passed(connection: sa.Connection, since: datetime, account: str | None) -> list[Passed]:
    """Jobs that run now, or ended after `since`; of one account, or of all."""
    columns = (jobs.c.queue, jobs.c.state, jobs.c.created_at, jobs.c.started_at, jobs.c.completed_at)
    ended = sa.and_(jobs.c.state.in_(ENDED), jobs.c.completed_at > since)
    query = sa.select(*columns).where(sa.or_(jobs.c.state == "processing", ended), *_of(account))
    return [Passed(*row) for row in connection.execute(query)]


def arrivals(connection: sa.Connection, since: datetime, account: str | None) -> list[tuple[str, datetime]]:
    """The queue and the moment of every job that was created after `since`."""
    query = sa.select(jobs.c.queue, jobs.c.created_at).where(jobs.c.created_at > since, *_of(account))
    return [(row.queue, row.created_at) for row in connection.execute(query)]


def waiting(connection: sa.Connection, account: str | None) -> dict[str, int]:
    """How many jobs wait, by queue."""
    query = sa.select(jobs.c.queue, sa.func.count()).where(jobs.c.state == "pending", *_of(account))
    return {row[0]: row[1] for row in connection.execute(query.group_by(jobs.c.queue))}


def _of(account: str | None) -> tuple[sa.ColumnElement[bool], ...]:
    return () if account is None else (jobs.c.account == account,)
