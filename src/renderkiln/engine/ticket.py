"""One turn of one attempt at a job, as it stands in a queue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import sqlalchemy as sa

from renderkiln.domain.job import Job


@dataclass(frozen=True)
class Ticket:
    """Who draws it may try to take the attempt. Low priorities are drawn first; `delay` is in seconds."""

    job_id: str
    attempt: int
    queue: str
    priority: int
    delay: float = 0.0

    @classmethod
    def of(cls, job: Job, attempt: int, delay: float = 0.0) -> Self:
        return cls(job.id, attempt, job.queue, job.priority, max(0.0, delay))


# Puts a ticket into its queue, in the transaction of the connection.
Write = Callable[[sa.Connection, Ticket], None]
