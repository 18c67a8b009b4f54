"""A render room with no-op jobs in it, and a real `renderkiln worker` that works them off."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from process import Process
from renderkiln.app import Renderkiln
from renderkiln.database import workers
from renderkiln.database.schema import jobs
from renderkiln.domain.job import Job
from renderkiln.domain.report import JobReport
from renderkiln.engine.submission import Submission
from renderkiln.settings import Settings

NOOP = "noop:Noop"
_PATIENCE = 180.0  # seconds


class Workshop:
    """On the database at `url`; a context manager."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder, self._url = folder, url
        self.kiln = Renderkiln.open(Settings.load(home=folder / "home", database=url))

    def __enter__(self) -> Workshop:
        return self

    def __exit__(self, *_: object) -> None:
        self.kiln.close()

    def jobs(self, count: int) -> list[Job]:
        """No-op jobs of one batch, not submitted yet."""
        path, batch = self._folder, self.kiln.new_batch()
        first = self.kiln.job(NOOP, path, batch_id=batch)
        return [
            replace(first, id=f"{batch}-{n}", item_id=str(n), inputs=(), params={"number": n})
            for n in range(1, count + 1)
        ]

    def submit(self, made: Sequence[Job]) -> datetime:
        """When they stood in their queues, the transaction committed."""
        self.kiln.room.submit(Submission(made[0].batch_id, made, self._folder / "out"))
        return datetime.now(UTC)

    @contextmanager
    def worker(self, **settings: str) -> Iterator[Process]:
        """A worker that has announced itself; `settings` are environment variables of its own."""
        process = subprocess.Popen(
            [sys.executable, "-m", "renderkiln", "worker"],
            env={
                **os.environ,
                **settings,
                "RENDERKILN_HOME": str(self.kiln.settings.home),
                "RENDERKILN_DATABASE": self._url,
                "RENDERKILN_LOG_LEVEL": "error",
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),  # where the no-op pipeline is
            },
        )
        try:
            self.until(lambda: process.pid in {each.pid for each in self._workers()}, process)
            yield Process(process.pid)
        finally:
            process.terminate()
            process.wait(timeout=60)

    def finished(self, count: int, batch_id: str) -> list[JobReport]:
        """The first `count` jobs of the batch that were completed, once there are so many."""
        ended = sa.and_(jobs.c.batch_id == batch_id, jobs.c.completed_at.is_not(None))
        counted = sa.select(sa.func.count()).select_from(jobs).where(ended)

        def enough() -> bool:
            with self.kiln.database.read() as connection:
                return (connection.scalar(counted) or 0) >= count

        self.until(enough)
        with self.kiln.database.read() as connection:
            ids = connection.scalars(sa.select(jobs.c.id).where(ended).order_by(jobs.c.completed_at)).all()
        reports = [each.report for each in self.kiln.room.jobs(ids[:count])]
        for report in reports:
            if not report.succeeded:
                raise SystemExit(f"the job {report.job.id} failed: {report.error}")
        return reports

    def until(self, happened: Callable[[], object], worker: subprocess.Popen[bytes] | None = None) -> None:
        """Look four times a second, so that looking costs the worker little."""
        deadline = time.monotonic() + _PATIENCE
        while not happened():
            if time.monotonic() > deadline or (worker is not None and worker.poll() is not None):
                raise SystemExit("the worker did not do it")
            time.sleep(0.25)

    def _workers(self) -> list[workers.StoredWorker]:
        with self.kiln.database.read() as connection:
            return workers.everyone(connection)
