"""Brings the finished files of a job to the storage: the second leg of an attempt, in a queue of its own."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from renderkiln.database import artifacts, guard
from renderkiln.database.engine import Database
from renderkiln.domain.artifact import Artifact, Kept, Visibility
from renderkiln.domain.clock import Clock
from renderkiln.domain.errors import Stopped
from renderkiln.domain.job import Job
from renderkiln.domain.outcomes import Done
from renderkiln.domain.queue import UPLOADS
from renderkiln.engine.narrator import Narrator
from renderkiln.engine.persist import persist
from renderkiln.engine.records import Hold
from renderkiln.events import journal
from renderkiln.storage.errors import StorageError
from renderkiln.storage.naming import artifact_key
from renderkiln.storage.rooms import Rooms

STAGE = "upload"  # as which people see it
BEGINS, ENDS = 90.0, 95.0  # percent of the job
_MESSAGE = "Uploading"
_TELL_EVERY = 0.1  # seconds


def waiting(job: Job, attempt: int, host: str) -> Job:
    """The job as it waits to be uploaded from `host`, with as many tries as it had to be rendered."""
    return replace(job, queue=UPLOADS, host=host, max_attempts=job.max_attempts + attempt - 1)


@dataclass(frozen=True)
class Storehouse:
    """Where finished files go, and who may read them. `rooms(stop)` gives up when `stop()` says so."""

    rooms: Callable[[Callable[[], bool]], Rooms]
    visibility: Callable[[Job], Visibility]


@dataclass(frozen=True)
class Storing:
    """The upload of one job, while `hold` is held."""

    storehouse: Storehouse
    database: Database
    clock: Clock
    hold: Hold
    job: Job
    narrator: Narrator
    stop: threading.Event

    def run(self, done: Done) -> Done:
        """Store every file that is not stored yet, verify it and record where it is; all of them.

        Raises `Altered` for a file that is not what it was, `Stopped`, `Superseded` and `StorageError`.
        """
        self.narrator.rise_to(BEGINS)
        self.narrator.say("stage.started", STAGE, _MESSAGE)
        begun, cpu = time.monotonic(), time.thread_time()

        def used() -> dict[str, Any]:
            seconds, cpu_seconds = time.monotonic() - begun, time.thread_time() - cpu
            return {"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_bytes": None, "paid": 0.0}

        try:
            stored = self._store(done.artifacts)
        except Stopped:
            self.narrator.say("stage.stopped", STAGE, **used())
            raise
        except StorageError as error:
            self.narrator.say("stage.failed", STAGE, str(error), code="STORAGE", **used())
            raise
        completed = self.narrator.event("stage.completed", STAGE, _MESSAGE, **used())
        job, worker = self.job, self.hold.owner
        self._write(
            lambda c: journal.append(c, completed, batch_id=job.batch_id, worker=worker, account=job.account)
        )
        self.narrator.tell(completed)
        return replace(done, artifacts=stored)

    def _store(self, files: Sequence[Artifact]) -> tuple[Artifact, ...]:
        rooms, visibility = self.storehouse.rooms(self.stop.is_set), self.storehouse.visibility(self.job)
        meter = _Meter(self.narrator, self.clock, self.stop, sum(file.size for file in files))
        stored: list[Artifact] = []
        for position, file in enumerate(files, 1):
            kept = file.kept or self._put(rooms, visibility, file, position, meter)
            meter.end_of(file.size)
            stored.append(replace(file, kept=kept))
        return tuple(stored)

    def _put(
        self, rooms: Rooms, visibility: Visibility, file: Artifact, position: int, meter: _Meter
    ) -> Kept:
        job, room = self.job, rooms.room(visibility)
        project = job.metadata.get("project")
        key = artifact_key(
            file.kind,
            job.id,
            file.path.name,
            job.created_at,
            position=position,
            project=project if isinstance(project, str) else None,
        )
        stored = room.put(
            key,
            file.path,
            content_type=file.content_type,
            metadata={"job": job.id, "name": file.path.name},
            sha256=file.sha256,
            progress=meter.at,
        )
        kept = Kept(stored.location, visibility, key)
        self._write(lambda c: artifacts.note_kept(c, job.id, position, kept))
        return kept

    def _write(self, write: Callable[[sa.Connection], object]) -> None:
        hold = self.hold

        def guarded(connection: sa.Connection) -> None:
            guard.lock_held(connection, hold.job_id, hold.attempt, hold.owner)
            write(connection)

        persist(self.database, self.clock, guarded)


class _Meter:
    """Turns bytes into percent of the job, tells them, and ends the upload when it is to stop."""

    def __init__(self, narrator: Narrator, clock: Clock, stop: threading.Event, total: int) -> None:
        self._narrator, self._clock, self._stop, self._total = narrator, clock, stop, max(1, total)
        self._before = 0  # bytes of the files that are through
        self._told = float("-inf")

    def at(self, sent: int) -> None:
        if self._stop.is_set():
            raise Stopped
        self._narrator.rise_to(BEGINS + (ENDS - BEGINS) * min(1.0, (self._before + sent) / self._total))
        now = self._clock.monotonic()
        if now - self._told >= _TELL_EVERY:
            self._told = now
            self._narrator.say("job.progress", STAGE, _MESSAGE)

    def end_of(self, size: int) -> None:
        self._before += size


def remove_local(done: Done, folder: Path) -> None:
    """Remove what is stored now, and a folder below `folder` that is empty then."""
    for file in done.artifacts:
        if file.kept is not None and is_here(file):
            with contextlib.suppress(OSError):
                file.path.unlink()
    for place in {file.path.parent for file in done.artifacts} - {folder}:
        with contextlib.suppress(OSError):  # it is not empty
            if place.is_relative_to(folder):
                place.rmdir()


def is_here(file: Artifact) -> bool:
    """Whether the file lies at its path, in its size."""
    try:
        return file.path.is_file() and file.path.stat().st_size == file.size
    except OSError:
        return False
