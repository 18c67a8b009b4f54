"""What processes left behind that died over the same request: jobs of a call that did not come to its end."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

from renderkiln.database import attempts, batches, jobs, moves, workers
from renderkiln.database.jobs import StoredJob
from renderkiln.domain.job import Job
from renderkiln.domain.report import JobReport
from renderkiln.domain.states import ENDED
from renderkiln.engine.announce import batch_ended, tell

Holder = Literal["nobody", "worker", "process"]


@dataclass(frozen=True)
class Legacy:
    """A direct job that was completed before its call was killed, that nobody holds, or that a worker has."""

    stored: StoredJob
    holder: Holder

    @property
    def job(self) -> Job:
        return self.stored.report.job

    def adopt(self, connection: sa.Connection, heir: str, now: datetime) -> None:
        """Let `heir` hold it, if nobody does."""
        report = self.stored.report
        if report.state in ENDED or self.holder != "nobody":
            return
        moves.adopt_if_held_by(connection, self.job.id, self.stored.owner, heir)
        attempts.mark_lost(connection, [(self.job.id, report.attempt)], now)
        if report.state == "processing":
            message = "Its process is gone; the same command goes on"
            tell(connection, "job.taken_over", self.job, now, message=message, worker=heir)

    def cancel(self, connection: sa.Connection, message: str, now: datetime) -> None:
        """End it, if it has not ended."""
        state = self.stored.report.state
        if state in ENDED:
            return
        batches.lock(connection, self.job.batch_id)
        cancel = moves.withdraw_if_waiting if state == "pending" else moves.cancel_if_running
        cancel(connection, self.job.id, now, message=message)
        tell(connection, "job.cancelled", self.job, now, message=message)
        batch_ended(connection, self.job.batch_id, now)


def legacies(connection: sa.Connection, requests: Collection[str]) -> dict[str, Legacy]:
    """By request, as far as there are any. Not what another process is still at."""
    found: dict[str, Legacy] = {}
    for request, stored in jobs.direct_of_open_batches(connection, requests):
        report, holder = stored.report, _holder(connection, stored.owner)
        if report.succeeded and _stands(report):
            found[request] = Legacy(stored, "nobody")
        elif report.state not in ENDED and holder != "process":
            found[request] = Legacy(stored, holder)
    return found


def _stands(report: JobReport) -> bool:
    """Whether its files are still there, made of the input as it is now."""
    started = report.processed_at
    try:
        files_there = all(file.path.stat().st_size == file.size for file in report.artifacts)
        changed = [
            datetime.fromtimestamp(path.stat().st_mtime, UTC)
            for path in report.job.inputs
            if isinstance(path, Path)
        ]
    except OSError:
        return False
    return files_there and started is not None and all(when < started for when in changed)


def _holder(connection: sa.Connection, owner: str | None) -> Holder:
    """Other machines are looked at by their beats, which takes a while: they count as living."""
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
