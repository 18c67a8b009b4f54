"""What happened, in order. Rows are only ever added, and forgotten when they are old."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from renderkiln.database.insert import insert_many
from renderkiln.database.schema import events
from renderkiln.domain.event import Event, EventName

_APPEND = sa.insert(events)  # made once: there is no statement that is needed more often


@dataclass(frozen=True)
class StoredEvent:
    """An event and its place in the order. `worker` is the executor it happened on."""

    seq: int
    event: Event
    batch_id: str | None
    worker: str | None

    def to_json(self) -> dict[str, Any]:
        """As the history of a job tells it."""
        event = self.event
        return {
            "seq": self.seq,
            "at": event.at.isoformat(),
            "name": event.name,
            "stage": event.stage,
            "percent": event.percent,
            "message": event.message,
            "facts": dict(event.facts),
            "worker": self.worker,
        }


def append(
    connection: sa.Connection, event: Event, *, batch_id: str | None = None, worker: str | None = None
) -> None:
    """Write an event, in the transaction of what it tells of."""
    append_all(connection, [event], batch_id=batch_id, worker=worker)


def append_all(
    connection: sa.Connection,
    told: Sequence[Event],
    *,
    batch_id: str | None = None,
    worker: str | None = None,
) -> None:
    """Write several events at once, in their order."""

    def row(event: Event) -> dict[str, Any]:
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
        }

    if len(told) == 1:  # by far the most are: and one row is cheaper than a list of one
        connection.execute(_APPEND, row(told[0]))
    else:
        insert_many(connection, _APPEND, told, row)


def after(
    connection: sa.Connection,
    seq: int,
    *,
    job_id: str | None = None,
    batch_id: str | None = None,
    names: Collection[EventName] = (),
    limit: int = 1000,
) -> list[StoredEvent]:
    """Events with higher numbers than `seq`, of these names if any is named, the lowest first.

    Postgres gives numbers when rows are written, not when they are committed: of transactions open at the
    same time, a lower number may come to light after a higher one. Those of one job come in order.
    """
    query = sa.select(events).where(events.c.seq > seq).order_by(events.c.seq).limit(limit)
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
        )
        for row in connection.execute(query)
    ]
