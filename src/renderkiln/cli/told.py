"""What a server tells, as the values that commands print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from renderkiln import client
from renderkiln.client import records
from renderkiln.database.attempts import AttemptOutcome, AttemptRow
from renderkiln.database.batches import StoredBatch
from renderkiln.database.events import StoredEvent
from renderkiln.database.jobs import StoredJob
from renderkiln.domain.artifact import Artifact
from renderkiln.domain.batch import BatchCounts
from renderkiln.domain.cost import Cost, billionths
from renderkiln.domain.event import Event
from renderkiln.domain.job import Job
from renderkiln.domain.report import JobError, JobReport
from renderkiln.domain.work import Work
from renderkiln.engine.batchreport import BatchReport
from renderkiln.engine.estimate import Basis, Estimate, Spread
from renderkiln.engine.queues import QueueReport


@dataclass(frozen=True)
class ToldReport(JobReport):
    """A report that is printed as the server has told it. Its files have names here, and no folder."""

    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> Path | None:
        return self.artifacts[0].path if self.artifacts else None

    def to_json(self) -> dict[str, Any]:
        return dict(self.raw)


def job_of(told: client.Job) -> StoredJob:
    """What is not told of a job is as with one that nobody has touched."""
    report = ToldReport(
        job=Job(
            id=told.id,
            batch_id=told.batch_id,
            item_id="",
            pipeline=told.pipeline,
            queue=told.queue,
            params={},
            inputs=(),
            created_at=told.created_at or datetime.now(UTC),
            label=told.label,
            priority=told.priority,
            max_attempts=told.max_attempts,
            metadata=told.metadata,
        ),
        state=told.state,
        stage=told.stage,
        progress=told.progress,
        message=told.message,
        attempt=told.attempt,
        worker=told.worker,
        started_at=told.started_at,
        processed_at=told.processed_at,
        completed_at=told.completed_at,
        error=None if told.error is None else JobError(told.error.code, told.error.message),
        result=told.result,
        artifacts=tuple(map(_artifact, told.artifacts)),
        warnings={each.code: each.message for each in told.warnings},
        reused=told.reused,
        left_out={each.stage: each.message for each in told.left_out},
        cost=cost_of(told.cost),
        raw=told.raw,
    )
    return StoredJob(
        report,
        position=0,
        output_dir=Path(),
        not_before=None,
        direct=False,
        owner=None,
        crashes=0,
        fingerprint=None,
    )


def batch_of(told: client.Batch) -> BatchReport:
    counts = told.counts
    return BatchReport(
        StoredBatch(
            id=told.id,
            created_at=told.created_at or datetime.now(UTC),
            label=told.label,
            metadata=told.metadata,
            rounds=told.round,
            completed_at=told.completed_at,
        ),
        BatchCounts(counts.pending, counts.processing, counts.completed, counts.failed, counts.cancelled),
        told.progress,
        told.remaining_seconds,
        cost_of(told.cost),
    )


def queue_of(told: client.Queue, now: datetime) -> QueueReport:
    counts, age = told.counts, told.oldest_seconds
    return QueueReport(
        name=told.name,
        worker_limit=told.worker_limit,
        global_limit=told.global_limit,
        paused=told.paused,
        counts={
            "pending": counts.pending,
            "processing": counts.processing,
            "completed": counts.completed,
            "failed": counts.failed,
            "cancelled": counts.cancelled,
        },
        oldest=None if age is None else now - timedelta(seconds=age),
        workers=told.workers,
    )


def estimate_of(told: client.Estimate) -> Estimate:
    return Estimate(
        Work(told.kind, told.units, told.unit),
        cast("Basis", told.basis),
        told.samples,
        seconds=_spread(told.seconds),
        cpu_seconds=_spread(told.cpu_seconds),
        bytes_out=_spread(told.bytes),
        cost=cost_of(told.cost),
    )


def attempt_of(job_id: str, told: client.Attempt) -> AttemptRow:
    why = told.error
    return AttemptRow(
        job_id=job_id,
        number=told.number,
        owner="",
        worker=told.worker,
        started_at=told.started_at,
        ended_at=told.ended_at,
        outcome=cast("AttemptOutcome | None", told.outcome),
        code=None if why is None else why.code,
        message="" if why is None else why.message,
        seconds=told.seconds,
        cpu_seconds=told.cpu_seconds,
        peak_bytes=told.peak_bytes,
        bytes_in=told.bytes_in,
        bytes_out=told.bytes_out,
        process_id=told.process_id,
    )


def event_of(job_id: str, told: client.Event) -> StoredEvent:
    event = Event(told.name, job_id, told.at, told.percent or 0.0, told.stage, told.message, told.facts)
    return StoredEvent(told.seq, event, None, told.worker)


def cost_of(told: client.Cost | None) -> Cost | None:
    if told is None:
        return None
    cpu, stored, sent, services = map(billionths, (told.cpu, told.stored, told.sent, told.services))
    return Cost(told.currency, cpu, stored, sent, services)


def _spread(told: records.Spread | None) -> Spread | None:
    return None if told is None else Spread(told.low, told.typical, told.high)


def _artifact(told: client.Artifact) -> Artifact:
    return Artifact(told.kind, Path(told.name), told.size, told.sha256, told.content_type, told.facts)
