"""What a process left behind that died over the same request: its batch, with jobs that have not ended."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from renderkiln.database import attempts, batches, jobs, workers
from renderkiln.database.jobs import StoredJob
from renderkiln.domain.job import Job
from renderkiln.domain.report import JobReport
from renderkiln.domain.states import ENDED
from renderkiln.engine.announce import batch_ended, tell


@dataclass(frozen=True)
class Legacy:
    """A batch of direct jobs. The dead or nobody hold those of `heirless`; workers are at the others."""

    batch_id: str
    jobs: tuple[StoredJob, ...]
    heirless: tuple[StoredJob, ...]

    @property
    def is_usable(self) -> bool:
        """Whether all that it completed is still there, and made of the files as they are now."""
        return all(_stands(each.report) for each in self.jobs if each.report.succeeded)

    def take_over(self, connection: sa.Connection, heir: str, now: datetime) -> list[Job]:
        """Let `heir` hold what is left; all jobs of the batch, in their order."""
        for stored in self.heirless:
            job = stored.report.job
            jobs.adopt_if_held_by(connection, job.id, stored.owner, heir)
            attempts.mark_lost(connection, [(job.id, stored.report.attempt)], now)
            if stored.report.state == "processing":
                message = "Its process is gone; the same command goes on"
                tell(connection, "job.taken_over", job, now, message=message, worker=heir)
        return [stored.report.job for stored in self.jobs]

    def cancel(self, connection: sa.Connection, message: str, now: datetime) -> None:
        """End what is left."""
        batches.lock(connection, self.batch_id)
        for stored in self.heirless:
            job = stored.report.job
            cancel = jobs.withdraw_if_waiting if stored.report.state == "pending" else jobs.cancel_if_running
            cancel(connection, job.id, now, message=message)
            tell(connection, "job.cancelled", job, now, message=message)
        batch_ended(connection, self.batch_id, now)


def legacies(connection: sa.Connection, request_sha256: str) -> Iterator[Legacy]:
    """What dead processes left of this request, the newest first; not what another process is still at."""
    for batch in batches.open_of_request(connection, request_sha256):
        found = tuple(jobs.of_batch(connection, batch.id))
        left = [stored for stored in found if stored.report.state not in ENDED]
        holders = {stored.owner: _holder(connection, stored.owner) for stored in left}
        if all(stored.direct for stored in found) and "process" not in holders.values():
            heirless = tuple(stored for stored in left if holders[stored.owner] == "nobody")
            yield Legacy(batch.id, found, heirless)


def _stands(report: JobReport) -> bool:
    started = report.processed_at
    try:
        files_there = all(file.path.stat().st_size == file.size for file in report.artifacts)
        changed = [datetime.fromtimestamp(path.stat().st_mtime, UTC) for path in report.job.inputs]
    except OSError:
        return False
    return files_there and started is not None and all(when < started for when in changed)


def _holder(connection: sa.Connection, owner: str | None) -> str:
    """`nobody` that lives, a `worker`, or a `process` that runs its own jobs.

    Other machines are looked at by their beats, which takes a while: they count as living.
    """
    worker = None if owner is None else workers.find(connection, owner)
    if worker is None or (worker.host == socket.gethostname() and not _runs(worker.pid)):
        return "nobody"
    return "process" if worker.direct else "worker"


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True
