"""Jobs, batches, attempts and queues as rows for people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from renderkiln.cli.view import reason
from renderkiln.cli.words import clock, size
from renderkiln.database.attempts import AttemptRow
from renderkiln.database.batches import StoredBatch
from renderkiln.database.jobs import StoredJob
from renderkiln.domain.batch import BatchCounts
from renderkiln.engine.queues import QueueReport

Row = Mapping[str, Any]


def job_row(stored: StoredJob) -> Row:
    report = stored.report
    return {
        "id": report.job.id,
        "state": report.state,
        "%": f"{report.progress:.0f}",
        "attempt": f"{report.attempt}/{report.job.max_attempts}",
        "queue": report.job.queue,
        "created": moment(report.job.created_at),
        "job": report.job.label,
        "result": _result(stored),
    }


def batch_row(batch: StoredBatch, counts: BatchCounts, percent: float) -> Row:
    return {
        "id": batch.id,
        "state": counts.state,
        "%": f"{percent:.0f}",
        "jobs": counts.total,
        "pending": counts.pending,
        "processing": counts.processing,
        "completed": counts.completed,
        "failed": counts.failed,
        "cancelled": counts.cancelled,
        "created": moment(batch.created_at),
        "label": batch.label,
    }


def attempt_row(attempt: AttemptRow) -> Row:
    return {
        "attempt": attempt.number,
        "outcome": attempt.outcome or "running",
        "worker": attempt.worker,
        "started": moment(attempt.started_at),
        "took": "" if attempt.seconds is None else clock(attempt.seconds),
        "cpu": "" if attempt.cpu_seconds is None else clock(attempt.cpu_seconds),
        "memory": "" if not attempt.peak_bytes else size(attempt.peak_bytes),
        "in": "" if attempt.bytes_in is None else size(attempt.bytes_in),
        "out": "" if not attempt.bytes_out else size(attempt.bytes_out),
        "why": attempt.message,
    }


def queue_row(queue: QueueReport, now: datetime) -> Row:
    age = queue.age(now)
    return {
        "queue": queue.name,
        "state": "paused" if queue.paused else "open",
        "waiting": queue.counts["pending"],
        "active": queue.counts["processing"],
        "completed": queue.counts["completed"],
        "failed": queue.counts["failed"],
        "oldest": "" if age is None else clock(age),
        "per worker": queue.worker_limit,
        "over all": "any" if queue.global_limit is None else queue.global_limit,
        "workers": queue.workers,
    }


def moment(when: datetime | None) -> str:
    """Local time to the second; today without its date."""
    if when is None:
        return ""
    local, today = when.astimezone(), datetime.now(UTC).astimezone().date()
    return f"{local:%H:%M:%S}" if local.date() == today else f"{local:%Y-%m-%d %H:%M}"


def moment_told(when: str | None) -> str:
    """`moment` of a time as the API tells it."""
    return moment(None if when is None else datetime.fromisoformat(when))


def _result(stored: StoredJob) -> str:
    report = stored.report
    match report.state:
        case "completed":
            return str(report.place or "done")
        case "failed":
            return reason(report)
        case "pending" if stored.not_before is not None and stored.not_before > datetime.now(UTC):
            return f"{report.message or 'scheduled'} ({moment(stored.not_before)})"
    return report.message
