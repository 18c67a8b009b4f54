"""Jobs submitted together. A batch has no state of its own: it is derived from its jobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from renderkiln.domain.states import STATES, JobState


@dataclass(frozen=True)
class BatchCounts:
    """How many jobs are in which state; one that waits for a retry is pending."""

    pending: int = 0
    processing: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0

    @classmethod
    def of(cls, states: Iterable[JobState]) -> BatchCounts:
        counts = Counter(states)
        return cls(**{state: counts[state] for state in STATES})

    @property
    def total(self) -> int:
        return self.pending + self.processing + self.completed + self.failed + self.cancelled

    @property
    def state(self) -> JobState:
        """Pending before any job began, processing until all ended, then completed if any succeeded.

        Cancelled if all were, else failed.
        """
        if self.pending == self.total:
            return "pending"
        if self.pending or self.processing:
            return "processing"
        if self.completed:
            return "completed"
        return "cancelled" if self.cancelled == self.total else "failed"
