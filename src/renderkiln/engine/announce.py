"""Writes the events of jobs and batches, in the transactions that they tell of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from renderkiln.database import batches, jobs
from renderkiln.domain.discretion import discreet
from renderkiln.domain.event import Event, EventName
from renderkiln.domain.job import Job
from renderkiln.engine.batchreport import BatchReport
from renderkiln.events import journal


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
    journal.append(
        connection,
        event,
        batch_id=job.batch_id,
        worker=worker,
        account=job.account,
        data=lambda: _told_of(connection, event),
    )
    return event


def batch_ended(connection: sa.Connection, batch_id: str, now: datetime) -> None:
    """Write `batch.completed` if this was its last job: once each time that all have ended."""
    completed = batches.complete_if_all_ended(connection, batch_id, now)
    if completed is None:
        return
    counts = batches.counts(connection, batch_id)
    facts = {**vars(counts), "state": counts.state, "round": completed}
    batch = batches.find(connection, batch_id)
    assert batch is not None
    journal.append(
        connection,
        Event("batch.completed", None, now, 100.0, facts=facts),
        batch_id=batch_id,
        account=batch.account,
        data=lambda: {"batch": BatchReport.of(connection, batch, now).to_json()},
    )


def _told_of(connection: sa.Connection, event: Event) -> Mapping[str, Any]:
    """What webhooks and handlers get: the job as it stands in this transaction."""
    stored = jobs.find(connection, str(event.job_id))
    assert stored is not None
    job = discreet(stored.report, stored.output_dir)
    return {"job": job, **{key: value for key, value in event.told.items() if key not in job}}
