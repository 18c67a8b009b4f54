"""A render room on a real database, with workers that are real processes."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import ready
from databases import database_url, postgres, sqlite_template
from object_stores import moto, proxy, rclone
from renderkiln import Renderkiln, Settings
from renderkiln.database import events, workers
from renderkiln.database.events import StoredEvent
from renderkiln.database.jobs import StoredJob
from renderkiln.engine.room import Room
from renderkiln.engine.submission import Submission
from waiting import until

__all__ = ["database_url", "moto", "postgres", "proxy", "rclone", "sqlite_template"]

PLUGINS = str(Path(__file__).parents[1] / "engine" / "plugins")
if PLUGINS not in sys.path:
    sys.path.append(PLUGINS)

DEMO = "demo_pipeline:Demo"


@dataclass
class Rig:
    """What tests do with a room."""

    app: Renderkiln
    url: str
    folder: Path
    processes: list[ready.Process | subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def room(self) -> Room:
        return self.app.room

    @property
    def output(self) -> Path:
        return self.folder / "output"

    def submit(self, *names: str, pipeline: str = DEMO, **params: Any) -> list[str]:
        """One job for a note of each of these names; their ids."""
        batch = self.app.new_batch()
        made = []
        for name in names:
            note = self.folder / name
            note.write_text(name)
            made.append(self.app.job(pipeline, note, params, batch_id=batch, item_id=name))
        self.room.submit(Submission(batch, made, self.output))
        return [job.id for job in made]

    def worker(
        self,
        name: str,
        most: int | None = None,
        environ: Mapping[str, str] | None = None,
        home: Path | None = None,
    ) -> ready.Process:
        """Start a worker, and wait until it has announced itself. It runs `most` jobs at once.

        With a home of its own, it is as if it were on another machine.
        """
        script = Path(__file__).with_name("worker_process.py")
        process = ready.start(
            [
                str(script),
                str(home or self.app.settings.home),
                self.url,
                name,
                *([str(most)] if most else []),
            ],
            Path.cwd(),
            {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **(environ or {})},
            ours=True,
        )
        self.processes.append(process)
        until(lambda: process.pid in {each.pid for each in self.workers()})
        return process

    def stop(self, process: ready.Process) -> None:
        """Stop it, but not in the middle of a write: SQLite is then locked for everybody."""
        while True:
            process.send_signal(signal.SIGSTOP)
            until(lambda: all(map(_is_stopped, Path(f"/proc/{process.pid}/task").iterdir())))
            if not self.room.database.is_sqlite:
                return
            with contextlib.closing(sqlite3.connect(self.room.database.path, timeout=0.5)) as probe:
                try:
                    probe.execute("BEGIN IMMEDIATE")
                except sqlite3.OperationalError:
                    process.send_signal(signal.SIGCONT)
                    time.sleep(0.01)  # let it get out of there
                else:
                    return

    def workers(self) -> list[workers.StoredWorker]:
        with self.room.database.read() as connection:
            return workers.everyone(connection)

    def job(self, id: str) -> StoredJob:
        found = self.room.find(id)
        assert found is not None
        return found

    def state(self, id: str) -> str:
        return self.job(id).report.state

    def told(self, *names: str, job: str | None = None) -> list[StoredEvent]:
        with self.room.database.read() as connection:
            found = events.after(connection, 0, job_id=job, limit=10_000)
        return [each for each in found if each.event.name in names]


def _is_stopped(thread: Path) -> bool:
    return (thread / "stat").read_text().rpartition(")")[2].split()[0] == "T"


@pytest.fixture
def rig(database_url: str, tmp_path: Path) -> Iterator[Rig]:
    settings = Settings(home=tmp_path / "home", database=database_url, poll_interval=0.05)
    with Renderkiln.open(settings) as app:
        made = Rig(app, database_url, tmp_path)
        yield made
        for process in made.processes:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
                process.wait()
