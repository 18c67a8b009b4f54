"""Jobs that are meant by what they are, in pages."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from renderkiln.database.cursor import Cursor, older_than
from renderkiln.database.jobs import SHOWN, StoredJob, stored
from renderkiln.database.schema import jobs
from renderkiln.domain.states import JobState


@dataclass(frozen=True)
class Wanted:
    """Which jobs are meant: those that are all of this. `text` is looked for in ids and labels."""

    states: Collection[JobState] = ()
    queue: str | None = None
    batch_id: str | None = None
    pipeline: str | None = None
    account: str | None = None
    text: str | None = None
    created_before: datetime | None = None  # aware
    ids: Collection[str] | None = None

    @property
    def conditions(self) -> list[sa.ColumnElement[bool]]:
        equal = (
            (jobs.c.queue, self.queue),
            (jobs.c.batch_id, self.batch_id),
            (jobs.c.pipeline, self.pipeline),
            (jobs.c.account, self.account),
        )
        found = [column == wanted for column, wanted in equal if wanted is not None]
        if self.states:
            found.append(jobs.c.state.in_(self.states))
        if self.text:
            known = (each.icontains(self.text, autoescape=True) for each in (jobs.c.id, jobs.c.label))
            found.append(sa.or_(*known))
        if self.created_before is not None:
            found.append(jobs.c.created_at < self.created_before)
        if self.ids is not None:
            found.append(jobs.c.id.in_(self.ids))
        return found


def page(
    connection: sa.Connection,
    *,
    states: Collection[JobState] = (),
    queue: str | None = None,
    batch_id: str | None = None,
    pipeline: str | None = None,
    account: str | None = None,
    text: str | None = None,
    before: Cursor | None = None,
    limit: int = 100,
) -> list[StoredJob]:
    """The newest jobs first, those older than `before`, to be shown: without their params, which are {}.

    `text` is looked for in ids and labels.
    """
    wanted = Wanted(states, queue, batch_id, pipeline, account, text)
    query = SHOWN.where(*wanted.conditions)
    query = query.order_by(jobs.c.created_at.desc(), jobs.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(older_than(before, jobs))
    return stored(connection, query)


def count(connection: sa.Connection, wanted: Wanted) -> int:
    """How many jobs are so."""
    return connection.execute(sa.select(sa.func.count(jobs.c.id)).where(*wanted.conditions)).scalar_one()


def places(
    connection: sa.Connection, wanted: Wanted, *, after: Cursor | None = None, limit: int
) -> list[Cursor]:
    """When the jobs that are so were created, and their ids; the oldest first, those younger than `after`."""
    query = sa.select(jobs.c.created_at, jobs.c.id).where(*wanted.conditions)
    if after is not None:
        query = query.where(
            (jobs.c.created_at > after.created_at)
            | ((jobs.c.created_at == after.created_at) & (jobs.c.id > after.id))
        )
    ordered = query.order_by(jobs.c.created_at, jobs.c.id).limit(limit)
    return [Cursor(row.created_at, row.id) for row in connection.execute(ordered)]
