"""Jobs on a server, in the words of this machine."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from renderkiln.cli.desk import Again, Queued, Terms
from renderkiln.cli.jobsheet import Sheet
from renderkiln.cli.luggage import Luggage, pack
from renderkiln.cli.orders import Order
from renderkiln.cli.sending import Sending
from renderkiln.cli.told import attempt_of, batch_of, cost_of, estimate_of, event_of, job_of, queue_of
from renderkiln.client import Client, Part, RenderkilnApiError
from renderkiln.client.asking import is_passing
from renderkiln.database.jobs import StoredJob
from renderkiln.domain.errors import UsageError
from renderkiln.domain.printable import printable
from renderkiln.domain.states import JobState
from renderkiln.engine.batchreport import BatchReport
from renderkiln.engine.estimate import Estimate
from renderkiln.engine.queues import QueueReport
from renderkiln.pipelines.contract import InputFacts

_FEW = 4  # jobs of one batch that are asked for one by one
_OUTAGE = 60.0  # seconds that a server which was there may be away
_WRONG = ("INVALID_REQUEST", "INVALID_WEBHOOK", "INVALID_EVENT", "QUEUE_NOT_FOUND")
_LABEL = 200  # characters that it takes


@dataclass
class RemoteDesk:
    """Speaks to a server. What it was told last stands while the server is away for a moment."""

    client: Client
    _known: dict[str, StoredJob] = field(default_factory=dict)
    _heard: float = 0.0

    def submit(self, pipeline: str, orders: Sequence[Order], terms: Terms) -> Queued:
        if terms.out is not None:
            raise UsageError(
                "a server takes no --out: leave it out, and get the files by `renderkiln jobs download`"
            )
        if terms.after:
            raise UsageError("--after is not taken over HTTP: submit the job when the other one is completed")
        packed = [pack(pipeline, order) for order in orders]  # what is wrong is known before anything is sent
        with plainly(), Sending(self.client) as sending:
            parts = [
                self._part(order, luggage, sending) for order, luggage in zip(orders, packed, strict=True)
            ]
            made = self.client.submit_batch(
                pipeline,
                parts,
                label=terms.label,
                priority=terms.priority,
                start_at=terms.at,
                idempotency_key=terms.key,
            )
        stored = self.batch(made.batch_id)
        queue = stored[0].report.job.queue
        idle = any(each.name == queue and not each.workers for each in self.client.queues())
        return Queued(made.batch_id, stored, is_new=True, idle=queue if idle else None)

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
        found = self.client.jobs(states=states, queue=queue, batch=batch, pipeline=pipeline, text=text)
        return [job_of(each) for each in islice(found, limit)]

    def job(self, id: str) -> StoredJob:
        return job_of(self.client.job(id))

    def each(self, ids: Sequence[str]) -> list[StoredJob]:
        try:
            self._known |= self._asked(ids)
            self._heard = time.monotonic()
        except RenderkilnApiError as error:
            if not is_passing(error) or time.monotonic() - self._heard > _OUTAGE or not self._known:
                raise
        return [self._known[id] for id in ids if id in self._known]

    def sheet(self, id: str, *, with_events: bool) -> Sheet:
        tried = self.client.attempts(id)
        return Sheet(
            self.job(id),
            tried=[attempt_of(id, each) for each in tried],
            paid={each.number: paid for each in tried if (paid := cost_of(each.cost)) is not None},
            unmet={},  # it tells of none
            told=[event_of(id, each) for each in self.client.history(id)] if with_events else None,
        )

    def download(self, id: str, folder: Path) -> Iterator[Path]:
        folder.mkdir(parents=True, exist_ok=True)
        with Sending(self.client) as sending:
            for artifact in self.client.job(id).artifacts:
                yield sending.download(artifact, folder)

    def cancel(self, id: str) -> None:
        self.client.cancel(id)

    def retry(self, id: str, *, from_scratch: bool, from_stage: str | None) -> None:
        self.client.retry(id, from_scratch=from_scratch, from_stage=from_stage)

    def reprioritise(self, id: str, priority: int) -> None:
        self.client.set_priority(id, priority)

    def batches(self, limit: int) -> Sequence[BatchReport]:
        return [batch_of(each) for each in islice(self.client.batches(), limit)]

    def batch_report(self, id: str) -> BatchReport:
        return batch_of(self.client.batch(id))

    def batch(self, id: str) -> list[StoredJob]:
        self.client.batch(id)  # that there is none is worth a word
        return [job_of(each) for each in self.client.jobs(batch=id)][::-1]

    def cancel_batch(self, id: str) -> Sequence[str]:
        return self.client.cancel_batch(id)

    def retry_batch(self, id: str, states: Collection[JobState], *, from_scratch: bool) -> Again:
        done = self.client.retry_batch(id, cancelled="cancelled" in states, from_scratch=from_scratch)
        return Again(done.jobs, done.over_budget, done.budget)

    def estimate(self, pipeline: str, order: Order, inputs: Sequence[InputFacts]) -> Estimate:
        if pack(pipeline, order).files:
            raise UsageError(
                "a server makes no estimate of params that name files here: estimate without --server, or "
                "name assets or URLs"
            )
        with plainly():
            told = self.client.estimate(pipeline, order.params, [_facts(each) for each in inputs])
        return estimate_of(told)

    def queues(self) -> Sequence[QueueReport]:
        now = datetime.now(UTC)
        return [queue_of(each, now) for each in self.client.queues()]

    def pause(self, queue: str) -> None:
        with plainly():
            self.client.pause(queue)

    def resume(self, queue: str) -> None:
        with plainly():
            self.client.resume(queue)

    def limit(self, queue: str, limits: Mapping[str, int | None]) -> None:
        with plainly():
            self.client.limit(queue, limits)

    def _asked(self, ids: Sequence[str]) -> dict[str, StoredJob]:
        """The jobs as they stand: many of one batch by one request."""
        found: dict[str, StoredJob] = {}
        of: dict[str, list[str]] = {}
        for id in ids:
            of.setdefault(id.partition("-")[0], []).append(id)
        for batch, members in of.items():
            if len(members) > _FEW:
                found |= {each.id: job_of(each) for each in self.client.jobs(batch=batch)}
            else:
                found |= {id: self.job(id) for id in members}
        return found

    def _part(self, order: Order, luggage: Luggage, sending: Sending) -> Part:
        return Part(
            sending.upload(order.path) if order.needed else None,
            params=luggage.unpacked(sending.upload),
            id=order.item_id,
            format=order.format,
            label=printable(order.path.name)[:_LABEL],
        )


def _facts(facts: InputFacts) -> dict[str, object]:
    return {name: value for name, value in asdict(facts).items() if value is not None}


@contextmanager
def plainly() -> Iterator[None]:
    """A call that is wrong is wrong whoever says so; what no id can be is a thing that there is not."""
    try:
        yield
    except RenderkilnApiError as error:
        named = any(each["field"].startswith("path.") for each in error.details)
        if error.code in _WRONG and not named:
            raise UsageError(str(error)) from error
        raise
