"""Jobs that are asked for together, and how they become rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from renderkiln.database import batches, jobs
from renderkiln.database.batches import NewBatch
from renderkiln.database.jobs import NewJob
from renderkiln.domain.event import Event
from renderkiln.domain.job import Job
from renderkiln.engine.announce import event_of
from renderkiln.events import journal
from renderkiln.observability.traces import traceparent


@dataclass(frozen=True)
class Hook:
    """Who is told when it has ended, and the secret that signs it."""

    url: str
    secret: str = field(repr=False)
    allow_private: bool = False


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
    metadata: Mapping[str, Any] = field(default_factory=dict)  # the caller's own, of the batch
    account: str = ""
    most_open: int | None = None  # jobs of the account that have not ended, these among them
    paid_by: str | None = None  # the key whose budget it is to keep to
    hook: Hook | None = None  # of the batch; of its job, if it is for `one`
    one: bool = False  # asked for as a job, not as a batch
    expected_costs: Mapping[str, int] = field(default_factory=dict)  # by job's id, in billionths

    @cached_property
    def sha256(self) -> str:
        """Of what was asked for: ids and times aside, which differ each time."""
        return _sha256([self.request(job) for job in self.jobs])

    def request(self, job: Job) -> str:
        """What was asked for by one of its jobs, as a SHA-256."""
        files = [str(each.absolute() if isinstance(each, Path) else each) for each in job.inputs]
        asked = [job.item_id, job.format, job.pipeline, dict(job.params), files, str(self.output_dir)]
        return _sha256(asked)


def insert(connection: sa.Connection, submission: Submission, now: datetime) -> None:
    """Store the batch and its jobs, for queues. Raises UserError where the batch is there already."""
    batches.insert(connection, _batch(submission, now))
    _insert_jobs(connection, submission, now, before=0)


def insert_direct(connection: sa.Connection, submission: Submission, now: datetime, owner: str) -> None:
    """Store the jobs as those that `owner` runs here and now; a batch that is there grows by them."""
    before = batches.counts(connection, submission.batch_id).total
    if batches.find(connection, submission.batch_id) is None:
        batches.insert(connection, _batch(submission, now))
    else:
        batches.reopen(connection, submission.batch_id)
    _insert_jobs(connection, submission, now, before=before, owner=owner)


def _batch(submission: Submission, now: datetime) -> NewBatch:
    return NewBatch(
        id=submission.batch_id,
        created_at=now,
        label=submission.label,
        idempotency_key=submission.key,
        request_sha256=submission.sha256 if submission.key is not None else None,
        metadata=submission.metadata,
        account=submission.account,
    )


def _insert_jobs(
    connection: sa.Connection, submission: Submission, now: datetime, *, before: int, owner: str | None = None
) -> None:
    """`before` is how many jobs the batch has already."""
    trace = traceparent()
    new = [
        NewJob(
            job,
            position,
            submission.output_dir,
            submission.not_before,
            direct=owner is not None,
            owner=owner,
            request_sha256=None if owner is None else submission.request(job),
            expected_cost=submission.expected_costs.get(job.id),
            traceparent=trace,
        )
        for position, job in enumerate(submission.jobs, before + 1)
    ]
    jobs.insert(connection, new)
    created = Event("batch.created", None, now, 0.0, facts={"jobs": len(new)})
    journal.append(connection, created, batch_id=submission.batch_id, account=submission.account)
    told = [event_of("job.created", job, now, message=job.label) for job in submission.jobs]
    journal.append_all(connection, told, batch_id=submission.batch_id, account=submission.account)


def _sha256(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
