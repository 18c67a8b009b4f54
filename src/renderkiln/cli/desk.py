"""Where commands give in jobs and ask for them: the database of this machine, or a server."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from renderkiln.cli.jobsheet import Sheet
    from renderkiln.cli.orders import Order
    from renderkiln.database.jobs import StoredJob
    from renderkiln.domain.states import JobState
    from renderkiln.engine.batchreport import BatchReport
    from renderkiln.engine.estimate import Estimate
    from renderkiln.engine.queues import QueueReport
    from renderkiln.pipelines.contract import InputFacts


@dataclass(frozen=True)
class Terms:
    """On what terms jobs are queued."""

    out: Path | None
    priority: int
    at: datetime | None
    after: Sequence[str]
    key: str | None
    label: str


@dataclass(frozen=True)
class Queued:
    """A batch and its jobs. `idle` names the queue that nobody draws from, if so."""

    batch: str
    jobs: Sequence[StoredJob]
    is_new: bool
    idle: str | None


@dataclass(frozen=True)
class Again:
    """The ids of jobs that were queued again; so many as `refused` were not, because of a `budget`."""

    jobs: Sequence[str]
    refused: int = 0
    budget: str | None = None


class Desk(Protocol):
    """Every verb raises UserError for what there is not, and for what is not in a state for it."""

    def submit(self, pipeline: str, orders: Sequence[Order], terms: Terms) -> Queued:
        """Queue all orders as one batch, or none."""

    def jobs(
        self,
        *,
        states: Collection[JobState] = (),
        queue: str | None = None,
        batch: str | None = None,
        pipeline: str | None = None,
        text: str | None = None,
        limit: int,
    ) -> list[StoredJob]:
        """The newest jobs first."""

    def job(self, id: str) -> StoredJob: ...

    def each(self, ids: Sequence[str]) -> list[StoredJob]:
        """Those of these jobs that there are, in this order, as they stand now."""

    def sheet(self, id: str, *, with_events: bool) -> Sheet:
        """All that is known of a job."""

    def download(self, id: str, folder: Path) -> Iterator[Path]:
        """The finished files of a job, one after another, when each is in `folder`."""

    def cancel(self, id: str) -> None: ...

    def retry(self, id: str, *, from_scratch: bool, from_stage: str | None) -> None: ...

    def reprioritise(self, id: str, priority: int) -> None: ...

    def batches(self, limit: int) -> Sequence[BatchReport]:
        """The newest first."""

    def batch_report(self, id: str) -> BatchReport: ...

    def batch(self, id: str) -> list[StoredJob]:
        """Its jobs, in their order."""

    def cancel_batch(self, id: str) -> Sequence[str]:
        """The ids of the jobs that were cancelled."""

    def retry_batch(self, id: str, states: Collection[JobState], *, from_scratch: bool) -> Again: ...

    def estimate(self, pipeline: str, order: Order, inputs: Sequence[InputFacts]) -> Estimate:
        """What an order would take, by what its files say of themselves."""

    def queues(self) -> Sequence[QueueReport]: ...

    def pause(self, queue: str) -> None: ...

    def resume(self, queue: str) -> None: ...

    def limit(self, queue: str, limits: Mapping[str, int | None]) -> None:
        """Change `worker_limit` and `global_limit`; None is what the settings say."""
