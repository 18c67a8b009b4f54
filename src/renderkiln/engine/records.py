"""The durable record of one attempt's finished stages and parts, on rows of the database.

Rows belong to the fingerprint of the work, not to the job: what an attempt has finished serves the next one,
and the same job submitted anew after a crash. Only who holds the job may write them.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from renderkiln.database import attempts, moves, pictures, stages
from renderkiln.database.engine import Database
from renderkiln.database.stages import StageRow
from renderkiln.domain.clock import Clock
from renderkiln.domain.event import Event
from renderkiln.domain.job import Job
from renderkiln.engine.cargo import Cargo
from renderkiln.engine.checkpoint import Checkpoint
from renderkiln.engine.persist import persist
from renderkiln.events import journal
from renderkiln.pipelines.contract import Result

_log = logging.getLogger(__name__)
_DARK = 60.0  # seconds without pictures, where one could not be kept


@dataclass(frozen=True)
class Hold:
    """The right to finish a job: this attempt of it, held by this executor."""

    job_id: str
    attempt: int
    owner: str


class Records:
    """What is finished of the work with this fingerprint; `folder` is where relative files lie.

    Writing raises Superseded once someone else holds the job.
    """

    def __init__(
        self,
        database: Database,
        hold: Hold,
        clock: Clock,
        folder: Path,
        *,
        fingerprint: str,
        job: Job,
        finished: Iterable[StageRow],
        cargo: Cargo | None = None,
    ) -> None:
        self._database, self._hold, self._clock = database, hold, clock
        self._folder, self._fingerprint = folder, fingerprint
        self._batch_id, self._account, self.created_at = job.batch_id, job.account, job.created_at
        self._dark_until = float("-inf")
        self._stages: dict[str, Checkpoint] = {}
        self._parts: dict[str, dict[str, Checkpoint]] = {}
        self._warnings: dict[str, dict[str, str]] = {}
        self._cargo = cargo  # takes what is finished to other machines
        for row in finished:
            self._learn(row)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is finished that could be used again."""
        return not self._stages and not any(self._parts.values())

    def result_of(self, stage: str) -> Result | None:
        """The recorded result of `stage`, if all its files and those of its parts are as they were."""
        found = self._stages.get(stage)
        if found is None:
            return None
        whole = [found, *self._parts.get(stage, {}).values()]
        return found.opened(self._folder) if all(each.is_intact(self._folder) for each in whole) else None

    def parts_of(self, stage: str) -> dict[str, Result]:
        """The finished parts of `stage` whose files are as they were."""
        found = self._parts.get(stage, {})
        return {key: part.opened(self._folder) for key, part in found.items() if part.is_intact(self._folder)}

    def part_from_finished(self) -> None:
        """Remove what is not recorded and is one with a file elsewhere, as a published film is.

        Its stage is made anew, and would write into both.
        """
        known = [*self._stages.values(), *(each for parts in self._parts.values() for each in parts.values())]
        named = {self._folder / file.path for each in known for file in each.files.values()}
        for path in self._folder.rglob("*"):
            if path not in named and path.is_file() and path.lstat().st_nlink > 1:
                path.unlink()

    def distrust(self, stage: str) -> None:
        """Take the result of `stage` no more; its parts stay."""
        self._stages.pop(stage, None)

    def warnings_of(self, stage: str) -> Mapping[str, str]:
        """What `stage` told the user, sentences by code."""
        return self._warnings.get(stage, {})

    def record(self, stage: str, checkpoint: Checkpoint, completed: Event) -> None:
        """Record the end of `stage`, and the event that tells it."""
        self._write(stage, "", checkpoint, completed)
        self._stages[stage] = checkpoint
        if self._cargo is not None:
            self._cargo.send(checkpoint, completed.facts["seconds"])

    def record_part(self, stage: str, key: str, checkpoint: Checkpoint, completed: Event) -> None:
        """Record the end of one part of `stage`, and the event that tells it."""
        self._write(stage, key, checkpoint, completed)
        self._parts.setdefault(stage, {})[key] = checkpoint
        if self._cargo is not None:
            self._cargo.send(checkpoint)

    def record_warning(self, stage: str, code: str, message: str) -> None:
        """Record what `stage` told the user: it stays true when its result is used again."""
        told = self._warnings.setdefault(stage, {})
        told[code] = message
        hold, now = self._hold, self._clock.now()
        persist(
            self._database,
            self._clock,
            lambda c: stages.warn_if_held(
                c, **vars(hold), fingerprint=self._fingerprint, stage=stage, warnings=told, now=now
            ),
        )

    def note_process(self, pid: int | None) -> None:
        """Record which FFmpeg runs now."""
        hold = self._hold
        persist(
            self._database,
            self._clock,
            lambda c: attempts.note_process(c, hold.job_id, hold.attempt, pid),
        )

    def show(self, jpeg: bytes) -> None:
        """Keep the latest picture of what is made, as well as that goes: the next one comes soon."""
        hold = self._hold
        if self._clock.monotonic() < self._dark_until:
            return
        try:
            with self._database.write() as connection:
                pictures.show(connection, hold.job_id, hold.attempt, hold.owner, jpeg, self._clock.now())
        except SQLAlchemyError as error:  # whatever it is: a render is worth more
            self._dark_until = self._clock.monotonic() + _DARK
            _log.warning("%s: pictures are not kept for a while: %s", hold.job_id, error)

    def forget(self, connection: sa.Connection) -> None:
        """Forget all of it: the job has ended, and its files go."""
        stages.forget_stages(connection, self._fingerprint)

    def _write(self, stage: str, part: str, checkpoint: Checkpoint, completed: Event) -> None:
        hold, record = self._hold, {"folder": str(self._folder), **checkpoint.to_json()}

        def write(connection: sa.Connection) -> None:
            stages.record_if_held(
                connection,
                **vars(hold),
                fingerprint=self._fingerprint,
                stage=stage,
                part=part,
                result=record,
                warnings=self._warnings.get(stage, {}) if not part else {},
                seconds=completed.facts.get("seconds"),
                now=completed.at,
            )
            moves.note_progress_if_held(
                connection,
                hold.job_id,
                hold.attempt,
                hold.owner,
                stage=stage,
                progress=completed.percent,
                message=completed.message,
            )
            journal.append(
                connection,
                completed,
                batch_id=self._batch_id,
                worker=hold.owner,
                account=self._account,
            )

        def recorded(connection: sa.Connection, _: None) -> bool:
            return stages.was_recorded(connection, self._fingerprint, stage, part, at=completed.at)

        persist(self._database, self._clock, write, done=recorded)

    def _learn(self, row: StageRow) -> None:
        if row.warnings:
            self._warnings[row.stage] = dict(row.warnings)
        if row.result is None:
            return
        checkpoint = Checkpoint.from_json(row.result)
        self._bring_here(checkpoint, Path(row.result["folder"]))
        if row.part:
            self._parts.setdefault(row.stage, {})[row.part] = checkpoint
        else:
            self._stages[row.stage] = checkpoint

    def _bring_here(self, checkpoint: Checkpoint, folder: Path) -> None:
        """Link files that an attempt left in another folder: one that is only stopped still holds its own."""
        if folder == self._folder:
            return
        for file in checkpoint.files.values():
            if Path(file.path).is_absolute():
                continue
            here, link = self._folder / file.path, self._folder / f"{file.path}.link"
            here.parent.mkdir(parents=True, exist_ok=True)
            # In its place there may be what an attempt that did not come to record it has left half-written.
            with contextlib.suppress(OSError):  # not there, or another file system: it is made again
                link.unlink(missing_ok=True)
                link.hardlink_to(folder / file.path)
                link.replace(here)
            link.unlink(missing_ok=True)  # still there where both are one file already
