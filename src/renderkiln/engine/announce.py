"""Writes the events of jobs and batches, in the transactions that they tell of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from renderkiln.database import batches, events
from renderkiln.domain.event import Event, EventName
from renderkiln.domain.job import Job


def event_of(name: EventName, job: Job, now: datetime, *, message: str = "", **facts: Any) -> Event:
    """An event of `job`."""
    facts |= {"pipeline": job.pipeline, "queue": job.queue}
    return Event(name, job.id, now, 0.0, None, message, facts)


def tell(
    connection: sa.Connection,
    name: EventName,
    job: Job,
    now: datetime,
    *,
    message: str = "",
    worker: str | None = None,
    **facts: Any,
) -> Event:
    """Write an event of `job`."""
    event = event_of(name, job, now, message=message, **facts)
    events.append(connection, event, batch_id=job.batch_id, worker=worker)
    return event


def batch_ended(connection: sa.Connection, batch_id: str, now: datetime) -> None:
    """Write `batch.completed` if this was its last job: once each time that all have ended."""
    completed = batches.complete_if_all_ended(connection, batch_id, now)
    if completed is None:
        return
    counts = batches.counts(connection, batch_id)
    facts = {**vars(counts), "state": counts.state, "round": completed}
    events.append(connection, Event("batch.completed", None, now, 100.0, facts=facts), batch_id=batch_id)
