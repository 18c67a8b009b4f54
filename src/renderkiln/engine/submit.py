"""Jobs become rows and tickets in one transaction: all of a batch or nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from renderkiln.database import batches, events, jobs
from renderkiln.database.batches import NewBatch
from renderkiln.database.engine import Database
from renderkiln.database.jobs import NewJob
from renderkiln.domain.clock import Clock
from renderkiln.domain.errors import UserError
from renderkiln.domain.event import Event
from renderkiln.domain.job import Job
from renderkiln.engine.announce import tell
from renderkiln.engine.tickets import Ticket, Tickets


@dataclass(frozen=True)
class Submission:
    """Jobs of one batch. With a `key`, the same request made again is answered with the first one's jobs."""

    batch_id: str
    jobs: Sequence[Job]
    output_dir: Path
    label: str = ""
    not_before: datetime | None = None  # aware
    key: str | None = None

    @property
    def sha256(self) -> str:
        """Of what was asked for: ids and times aside, which differ each time."""
        asked: list[Any] = [
            [job.item_id, job.format, job.pipeline, dict(job.params), [str(path) for path in job.inputs]]
            for job in self.jobs
        ]
        text = json.dumps([asked, str(self.output_dir)], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def submit(database: Database, tickets: Tickets, clock: Clock, submission: Submission) -> str:
    """Queue all jobs of `submission`; the id of their batch, or of the one its key was used for first.

    Raises UserError when the key was used for another request, or the batch exists already.
    """
    now = clock.now()
    with database.write() as connection:
        if (first := _first_use(connection, submission)) is not None:
            return first
        _insert(connection, submission, now)
        for job in submission.jobs:
            ticket = Ticket(job.id, 1, job.queue, job.priority, _delay(submission.not_before, now))
            tickets.write(connection, ticket)
    return submission.batch_id


def _first_use(connection: sa.Connection, submission: Submission) -> str | None:
    if submission.key is None:
        return None
    found = batches.by_idempotency_key(connection, submission.key)
    if found is None:
        return None
    if found.request_sha256 != submission.sha256:
        raise UserError(
            f"the idempotency key {submission.key!r} was used for another request, batch {found.id}: "
            "use a new key, or repeat the request as it was"
        )
    return found.id


def _insert(connection: sa.Connection, submission: Submission, now: datetime) -> None:
    batches.insert(
        connection,
        NewBatch(
            id=submission.batch_id,
            created_at=now,
            label=submission.label,
            idempotency_key=submission.key,
            request_sha256=submission.sha256 if submission.key is not None else None,
        ),
    )
    jobs.insert(
        connection,
        [
            NewJob(job, position, submission.output_dir, submission.not_before)
            for position, job in enumerate(submission.jobs, 1)
        ],
    )
    facts = {"jobs": len(submission.jobs)}
    events.append(
        connection, Event("batch.created", None, now, 0.0, facts=facts), batch_id=submission.batch_id
    )
    for job in submission.jobs:
        tell(connection, "job.created", job, now, message=job.label)


def _delay(not_before: datetime | None, now: datetime) -> float:
    return 0.0 if not_before is None else max(0.0, (not_before - now).total_seconds())
