"""One turn of one attempt at a job, as it stands in a queue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import sqlalchemy as sa

from renderkiln.domain.job import Job


@dataclass(frozen=True)
class Ticket:
    """Who draws it may try to take the attempt. Low priorities are drawn first; `delay` is in seconds.

    One with a `host` is drawn on that machine only.
    """

    job_id: str
    attempt: int
    queue: str
    priority: int
    delay: float = 0.0
    host: str | None = None

    @property
    def lane(self) -> str:
        """Where it stands, to the queue engine."""
        return lane(self.queue, self.host)

    @classmethod
    def of(cls, job: Job, attempt: int, delay: float = 0.0) -> Self:
        return cls(job.id, attempt, job.queue, job.priority, max(0.0, delay), job.host)


def lane(queue: str, host: str | None) -> str:
    """The name of a queue, or of the part of it whose jobs run on one machine only."""
    return queue if host is None else f"{queue}@{host}"


# Puts a ticket into its queue, in the transaction of the connection.
Write = Callable[[sa.Connection, Ticket], None]
