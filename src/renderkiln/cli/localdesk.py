"""Jobs in the database of this machine."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from renderkiln.app import Renderkiln
from renderkiln.cli.desk import Again, Queued, Terms
from renderkiln.cli.jobsheet import Sheet
from renderkiln.cli.orders import Order, jobs_of
from renderkiln.client.downloading import finish, half_of, safe_name, same
from renderkiln.database import attempts, costs, dependencies, events, jobpage, workers
from renderkiln.database.jobpage import Wanted
from renderkiln.database.jobs import StoredJob
from renderkiln.domain.artifact import Artifact
from renderkiln.domain.errors import UserError
from renderkiln.domain.states import JobState
from renderkiln.engine.batchreport import BatchReport
from renderkiln.engine.bulk import to_the_end
from renderkiln.engine.estimate import Estimate
from renderkiln.engine.queues import QueueReport
from renderkiln.engine.room import Room
from renderkiln.engine.submission import Submission
from renderkiln.pipelines.contract import InputFacts
from renderkiln.storage.errors import StorageError

_BLOCK = 1 << 20  # bytes


@dataclass(frozen=True)
class LocalDesk:
    """Goes to the room of the settings."""

    kiln: Renderkiln

    @property
    def room(self) -> Room:
        return self.kiln.room

    def submit(self, pipeline: str, orders: Sequence[Order], terms: Terms) -> Queued:
        made = jobs_of(self.kiln, pipeline, orders, priority=terms.priority)
        submission = Submission(
            batch_id=made[0].batch_id,
            jobs=made,
            output_dir=(terms.out or self.kiln.settings.output_dir).absolute(),
            label=terms.label,
            not_before=terms.at,
            key=terms.key,
            needs={job.id: terms.after for job in made} if terms.after else {},
        )
        batch = self.room.submit(submission)
        stored = self.room.batch(batch)
        queue = stored[0].report.job.queue
        with self.kiln.database.read() as connection:
            is_drawn = any(queue in each.queues for each in workers.everyone(connection))
        return Queued(batch, stored, batch == submission.batch_id, None if is_drawn else queue)

    def jobs(self, *, batch: str | None = None, **wanted: Any) -> list[StoredJob]:
        with self.kiln.database.read() as connection:
            return jobpage.page(connection, batch_id=batch, **wanted)

    def job(self, id: str) -> StoredJob:
        return self.room.job(id)

    def each(self, ids: Sequence[str]) -> list[StoredJob]:
        return self.room.jobs(ids)

    def sheet(self, id: str, *, with_events: bool) -> Sheet:
        stored = self.room.job(id)
        with self.kiln.database.read() as connection:
            return Sheet(
                stored,
                tried=attempts.of_job(connection, id),
                paid=costs.of_attempts(connection, id),
                unmet=dependencies.unmet(connection, [id]).get(id, {}),
                told=events.after(connection, 0, job_id=id, limit=100_000) if with_events else None,
            )

    def download(self, id: str, folder: Path) -> Iterator[Path]:
        for artifact in self.room.job(id).report.artifacts:
            yield self._brought(artifact, folder)

    def cancel(self, id: str) -> None:
        self.room.control.cancel(id)

    def retry(self, id: str, *, from_scratch: bool, from_stage: str | None) -> None:
        self.room.control.retry(id, from_scratch=from_scratch, from_stage=from_stage)

    def reprioritise(self, id: str, priority: int) -> None:
        self.room.control.reprioritise(id, priority)

    def batches(self, limit: int) -> Sequence[BatchReport]:
        return self.room.batches(limit)

    def batch_report(self, id: str) -> BatchReport:
        return self.room.batch_report(id)

    def batch(self, id: str) -> list[StoredJob]:
        return self.room.batch(id)

    def cancel_batch(self, id: str) -> Sequence[str]:
        wanted = self._jobs_of(id)
        return to_the_end(lambda after: self.room.bulk.cancel(wanted, after=after))

    def retry_batch(self, id: str, states: Collection[JobState], *, from_scratch: bool) -> Again:
        wanted, bulk = replace(self._jobs_of(id), states=states), self.room.bulk
        return Again(to_the_end(lambda after: bulk.retry(wanted, from_scratch=from_scratch, after=after)))

    def estimate(self, pipeline: str, order: Order, inputs: Sequence[InputFacts]) -> Estimate:
        return self.kiln.estimate(pipeline, order.params, inputs)

    def queues(self) -> Sequence[QueueReport]:
        return self.room.queues.reports()

    def pause(self, queue: str) -> None:
        self.room.queues.pause(queue)

    def resume(self, queue: str) -> None:
        self.room.queues.resume(queue)

    def limit(self, queue: str, limits: Mapping[str, int | None]) -> None:
        self.room.queues.set_limits(queue, **limits)

    def _jobs_of(self, batch: str) -> Wanted:
        """Raises UserError for a batch there is not."""
        self.room.batch_report(batch)
        return Wanted(batch_id=batch)

    def _brought(self, artifact: Artifact, folder: Path) -> Path:
        """A copy of a finished file, wherever it is kept. Raises UserError."""
        target = folder / safe_name(artifact.path.name)
        half = half_of(target, artifact)
        try:
            if target.exists():
                return same(target, artifact)
            folder.mkdir(parents=True, exist_ok=True)
            with half.open("wb") as file:
                file.writelines(self._blocks(artifact))
            finish(half, target, artifact)
        except StorageError as error:
            raise UserError(f"{artifact.path.name} cannot be fetched: {error}") from error
        except OSError as error:
            raise UserError(f"{artifact.path.name} cannot be brought to {folder}: {error}") from error
        return target

    def _blocks(self, artifact: Artifact) -> Iterator[bytes]:
        if (kept := artifact.kept) is not None:
            with self.kiln.stores.at(kept.visibility, kept.location).open(kept.key) as reading:
                yield from reading
            return
        with artifact.path.open("rb") as file:
            while block := file.read(_BLOCK):
                yield block
