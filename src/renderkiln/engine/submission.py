"""Jobs that are asked for together, and how they become rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from renderkiln.database import batches, events, jobs
from renderkiln.database.batches import NewBatch
from renderkiln.database.jobs import NewJob
from renderkiln.domain.event import Event
from renderkiln.domain.job import Job
from renderkiln.engine.announce import tell


@dataclass(frozen=True)
class Submission:
    """Jobs of one batch. With a `key`, the same request made again is answered with the first one's jobs.

    `needs` maps ids of its jobs to ids of jobs that must be completed before: others that are there, or those
    that stand before it in the batch.
    """

    batch_id: str
    jobs: Sequence[Job]
    output_dir: Path
    label: str = ""
    not_before: datetime | None = None  # aware
    key: str | None = None
    needs: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """Of what was asked for: ids and times aside, which differ each time."""
        asked: list[Any] = [
            [job.item_id, job.format, job.pipeline, dict(job.params), [str(path) for path in job.inputs]]
            for job in self.jobs
        ]
        text = json.dumps([asked, str(self.output_dir)], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def insert(
    connection: sa.Connection, submission: Submission, now: datetime, *, owner: str | None = None
) -> None:
    """Store the batch and its jobs; with `owner` as jobs that it runs here and now, in no queue."""
    batches.insert(
        connection,
        NewBatch(
            id=submission.batch_id,
            created_at=now,
            label=submission.label,
            idempotency_key=submission.key,
            request_sha256=submission.sha256,
        ),
    )
    jobs.insert(
        connection,
        [
            NewJob(job, position, submission.output_dir, submission.not_before, owner is not None, owner)
            for position, job in enumerate(submission.jobs, 1)
        ],
    )
    facts = {"jobs": len(submission.jobs)}
    events.append(
        connection, Event("batch.created", None, now, 0.0, facts=facts), batch_id=submission.batch_id
    )
    for job in submission.jobs:
        tell(connection, "job.created", job, now, message=job.label)
