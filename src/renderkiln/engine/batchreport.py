"""How a batch stands: counted from its jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from renderkiln.database import batches, costs
from renderkiln.database.batches import Standing, StoredBatch
from renderkiln.domain.batch import BatchCounts
from renderkiln.domain.cost import Cost
from renderkiln.domain.report import iso

_EARLY = 2.0  # percent, below which the time left would be a guess


@dataclass(frozen=True)
class BatchReport:
    """`percent` is of all its jobs together; `remaining` is in seconds, None where it would be a guess."""

    batch: StoredBatch
    counts: BatchCounts
    percent: float
    remaining: float | None
    cost: Cost | None = None

    @classmethod
    def of(cls, connection: sa.Connection, batch: StoredBatch, now: datetime) -> BatchReport:
        return cls.of_all(connection, [batch], now)[0]

    @classmethod
    def of_all(
        cls, connection: sa.Connection, found: Sequence[StoredBatch], now: datetime
    ) -> list[BatchReport]:
        """Of as many as are shown together, by as few queries as of one."""
        ids = [each.id for each in found]
        standings, paid = batches.standings(connection, ids), costs.of_batches(connection, ids)
        return [_report(each, standings[each.id], paid.get(each.id), now) for each in found]

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.batch.id,
            "label": self.batch.label,
            "state": self.counts.state,
            "progress": round(self.percent, 1),
            "remainingSeconds": None if self.remaining is None else round(self.remaining, 1),
            "total": self.counts.total,
            "counts": asdict(self.counts),
            "round": self.batch.rounds,
            "createdAt": iso(self.batch.created_at),
            "completedAt": iso(self.batch.completed_at),
            "metadata": dict(self.batch.metadata),
            "cost": None if self.cost is None else self.cost.to_json(),
        }


def _report(batch: StoredBatch, standing: Standing, cost: Cost | None, now: datetime) -> BatchReport:
    percent, remaining = standing.percent, None
    if standing.counts.processing and standing.begun is not None and percent >= _EARLY:
        remaining = (now - standing.begun).total_seconds() * (100.0 - percent) / percent
    return BatchReport(batch, standing.counts, percent, remaining, cost)
