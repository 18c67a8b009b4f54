"""What happened, in order. Rows are only ever added, and forgotten when they are old."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from renderkiln.database.insert import insert_many
from renderkiln.database.schema import events
from renderkiln.domain.event import Event, EventName
from renderkiln.domain.report import iso

_APPEND = sa.insert(events)  # made once: there is no statement that is needed more often


@dataclass(frozen=True)
class StoredEvent:
    """An event and its place in the order. `worker` is the executor it happened on, `account` whose it is."""

    seq: int
    event: Event
    batch_id: str | None
    worker: str | None
    account: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As the history of a job tells it."""
        event = self.event
        return {
            "seq": self.seq,
            "at": iso(event.at),
            "name": event.name,
            "stage": event.stage,
            "percent": event.percent,
            "message": event.message,
            "facts": dict(event.facts),
            "worker": self.worker,
        }


def append(
    connection: sa.Connection,
    event: Event,
    *,
    batch_id: str | None = None,
    worker: str | None = None,
    account: str | None = None,
) -> int:
    """Write an event, in the transaction of what it tells of; its number."""
    # By far the most come alone: and one row is cheaper than a list of one.
    key = connection.execute(_APPEND, _row(event, batch_id, worker, account)).inserted_primary_key
    assert key is not None
    seq: int = key[0]
    return seq


def append_all(
    connection: sa.Connection,
    told: Sequence[Event],
    *,
    batch_id: str | None = None,
    worker: str | None = None,
    account: str | None = None,
) -> None:
    """Write several events at once, in their order."""
    insert_many(connection, _APPEND, told, lambda event: _row(event, batch_id, worker, account))


def after(
    connection: sa.Connection,
    seq: int,
    *,
    job_id: str | None = None,
    batch_id: str | None = None,
    names: Collection[EventName] = (),
    besides: Collection[int] = (),
    limit: int = 1000,
) -> list[StoredEvent]:
    """Events with higher numbers than `seq`, and those that `besides` numbers; the lowest first.

    Of these names, if any is named.

    Postgres gives numbers when rows are written, not when they are committed: of transactions open at the
    same time, a lower number may come to light after a higher one. Those of one job come in order.
    """
    wanted = events.c.seq > seq
    if besides:
        wanted = sa.or_(wanted, events.c.seq.in_(besides))
    query = sa.select(events).where(wanted).order_by(events.c.seq).limit(limit)
    if job_id is not None:
        query = query.where(events.c.job_id == job_id)
    if batch_id is not None:
        query = query.where(events.c.batch_id == batch_id)
    if names:
        query = query.where(events.c.name.in_(names))
    return [
        StoredEvent(
            row.seq,
            Event(row.name, row.job_id, row.at, row.percent, row.stage, row.message, row.facts),
            row.batch_id,
            row.worker,
            row.account,
        )
        for row in connection.execute(query)
    ]


def newest(connection: sa.Connection) -> int:
    """The highest number that can be seen; 0 where there is none."""
    return connection.scalar(sa.select(sa.func.max(events.c.seq))) or 0


def _row(event: Event, batch_id: str | None, worker: str | None, account: str | None) -> dict[str, Any]:
    return {
        "at": event.at,
        "name": event.name,
        "job_id": event.job_id,
        "batch_id": batch_id,
        "stage": event.stage,
        "percent": event.percent,
        "message": event.message,
        "facts": dict(event.facts),
        "worker": worker,
        "account": account,
    }
