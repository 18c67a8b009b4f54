"""Batches: jobs submitted together. How one stands is counted from its jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

import sqlalchemy as sa

from renderkiln.database.cursor import Cursor, older_than
from renderkiln.database.insert import insert_into
from renderkiln.database.schema import batches, jobs
from renderkiln.domain.batch import BatchCounts
from renderkiln.domain.errors import UserError
from renderkiln.domain.states import ENDED, STATES

_AT_ONCE = 500  # parameters of one statement
_OPEN = frozenset(STATES) - ENDED
_UNFINISHED = sa.exists().where(jobs.c.batch_id == batches.c.id, jobs.c.state.in_(sorted(_OPEN)))
_COMPLETE = (
    sa.update(batches)
    .where(batches.c.id == sa.bindparam("this"), batches.c.completed_at.is_(None), ~_UNFINISHED)
    .values(rounds=batches.c.rounds + 1, completed_at=sa.bindparam("now", type_=batches.c.completed_at.type))
    .returning(batches.c.rounds)
)


@dataclass(frozen=True)
class NewBatch:
    """A batch to be stored. `request_sha256` is of what was asked for with its key."""

    id: str
    created_at: datetime  # aware
    label: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    idempotency_key: str | None = None
    request_sha256: str | None = None
    account: str = ""


@dataclass(frozen=True)
class StoredBatch(NewBatch):
    """A batch as it stands. `rounds`: how often all its jobs had ended; `completed_at`: since when."""

    rounds: int = 0
    completed_at: datetime | None = None


class Standing(NamedTuple):
    """How its jobs are: `percent` of all together, those that ended whole; `begun` when the first began."""

    counts: BatchCounts
    percent: float
    begun: datetime | None


def insert(connection: sa.Connection, batch: NewBatch) -> None:
    """Store a batch. Raises UserError where its id or its idempotency key is taken."""
    row = insert_into(connection.dialect.name, batches).values(
        **{**asdict(batch), "metadata": dict(batch.metadata)}
    )
    # Not rowcount: of an INSERT on Postgres, SQLAlchemy does not tell it.
    if connection.execute(row.on_conflict_do_nothing().returning(batches.c.id)).first() is not None:
        return
    if find(connection, batch.id) is not None:
        raise UserError(f"there is a batch {batch.id} already: choose another id")
    raise UserError(
        f"the idempotency key {batch.idempotency_key!r} was used by another request just now: repeat this one"
    )


def find(connection: sa.Connection, id: str) -> StoredBatch | None:
    """The batch, if there is one."""
    found = _stored(connection, sa.select(batches).where(batches.c.id == id))
    return found[0] if found else None


def by_idempotency_key(connection: sa.Connection, key: str) -> StoredBatch | None:
    """The batch that was submitted with this key, if there is one."""
    found = _stored(connection, sa.select(batches).where(batches.c.idempotency_key == key))
    return found[0] if found else None


def page(
    connection: sa.Connection, *, account: str | None = None, before: Cursor | None = None, limit: int = 100
) -> list[StoredBatch]:
    """The newest batches first, those older than `before`; of all accounts if none is named."""
    query = sa.select(batches).order_by(batches.c.created_at.desc(), batches.c.id.desc()).limit(limit)
    if account is not None:
        query = query.where(batches.c.account == account)
    if before is not None:
        query = query.where(older_than(before, batches))
    return _stored(connection, query)


def counts(connection: sa.Connection, batch_id: str) -> BatchCounts:
    """How many of its jobs are in which state."""
    grouped = (
        sa.select(jobs.c.state, sa.func.count().label("number"))
        .where(jobs.c.batch_id == batch_id)
        .group_by(jobs.c.state)
    )
    return BatchCounts(**{row.state: row.number for row in connection.execute(grouped)})


def standings(connection: sa.Connection, ids: Sequence[str]) -> dict[str, Standing]:
    """How each of these batches stands."""
    percent = sa.func.sum(sa.case((jobs.c.state.in_(ENDED), 100.0), else_=jobs.c.progress)).label("percent")
    began = sa.func.min(jobs.c.started_at, type_=jobs.c.started_at.type).label("began")
    grouped = (
        sa.select(jobs.c.batch_id, jobs.c.state, sa.func.count().label("number"), percent, began)
        .group_by(jobs.c.batch_id, jobs.c.state)
        .order_by(jobs.c.batch_id)
    )
    found = {id: Standing(BatchCounts(), 0.0, None) for id in ids}
    for start in range(0, len(ids), _AT_ONCE):
        rows = connection.execute(grouped.where(jobs.c.batch_id.in_(ids[start : start + _AT_ONCE])))
        for id, few in groupby(rows, key=lambda row: row.batch_id):
            found[id] = _standing(list(few))
    return found


def _standing(rows: Sequence[sa.Row[Any]]) -> Standing:
    """Of the rows of a batch, one for each state that its jobs are in."""
    counts = BatchCounts(**{row.state: row.number for row in rows})
    begun = [row.began for row in rows if row.began is not None]
    return Standing(counts, sum(row.percent for row in rows) / counts.total, min(begun, default=None))


def lock(connection: sa.Connection, batch_id: str) -> None:
    """Whoever else wants to end or reopen jobs of this batch waits until this transaction ends.

    To be called before the jobs are changed, so that all lock in the same order. Two that end the last two
    jobs at once would else each see the other's still running. On SQLite a write transaction is alone anyway.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(sa.select(batches.c.id).where(batches.c.id == batch_id).with_for_update())


def complete_if_all_ended(connection: sa.Connection, batch_id: str, now: datetime) -> int | None:
    """The number of the round, to exactly one caller each time all jobs have ended; None to all others."""
    lock(connection, batch_id)
    return connection.execute(_COMPLETE, {"this": batch_id, "now": now}).scalar_one_or_none()


def reopen(connection: sa.Connection, batch_id: str) -> None:
    """A job of it was reopened: when all have ended again, that is a new round."""
    connection.execute(sa.update(batches).where(batches.c.id == batch_id).values(completed_at=None))


def _stored(connection: sa.Connection, query: sa.Select[Any]) -> list[StoredBatch]:
    return [StoredBatch(**row._mapping) for row in connection.execute(query)]
