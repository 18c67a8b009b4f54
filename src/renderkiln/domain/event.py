"""What happens to a job, as it happens: command line, logs, metrics and dashboard listen to this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

EventName = Literal[
    "job.started",
    "job.waiting",  # facts: seconds until the next attempt, error
    "job.completed",
    "job.failed",  # message says why
    "job.cancelled",
    "stage.started",
    "stage.reused",  # its recorded result is used again
    "stage.progress",
    "stage.completed",  # facts: seconds, cpu_seconds, peak_bytes
    "stage.left_out",  # an optional stage failed
    "part.completed",  # facts: part
    "warning",  # facts: code
]


@dataclass(frozen=True)
class Event:
    """`percent` is the whole job's, 0 … 100, never falling. `facts` are small JSON values such as fps."""

    name: EventName
    job_id: str
    at: datetime
    percent: float
    stage: str | None = None
    message: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
