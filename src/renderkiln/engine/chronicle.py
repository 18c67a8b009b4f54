"""Writes what happens during an attempt into the database, as its events say it."""

from __future__ import annotations

import logging
import threading

import sqlalchemy as sa
from sqlalchemy.exc import InterfaceError, OperationalError

from renderkiln.database import moves
from renderkiln.database.engine import Database
from renderkiln.database.jobs import StoredJob
from renderkiln.database.trouble import first_line
from renderkiln.domain.clock import Clock
from renderkiln.domain.errors import Superseded
from renderkiln.domain.event import Event
from renderkiln.engine.records import Hold
from renderkiln.events import journal

_log = logging.getLogger(__name__)
_HEARD = {
    "job.progress",
    "stage.started",
    "stage.reused",
    "stage.failed",
    "stage.left_out",
    "warning",
}
_POINTS, _SECONDS = 2.0, 1.0  # progress is written when it moved so far, or after so long


class Chronicle:
    """A listener for one attempt. Hears that the job is no longer ours, and then sets `stop`.

    Progress that cannot be written is dropped: the next one says more.
    """

    def __init__(
        self, database: Database, hold: Hold, stored: StoredJob, clock: Clock, stop: threading.Event
    ) -> None:
        self._database, self._hold, self._clock, self._stop = database, hold, clock, stop
        self._batch_id, self._account = stored.report.job.batch_id, stored.report.job.account
        self._warnings = dict(stored.report.warnings)
        self._reused: list[str] = []
        self._left_out: dict[str, str] = {}
        self._percent, self._written = stored.report.progress, float("-inf")
        self._told = stored.report.progress  # by an event: the row moves each second, its history less often

    def hear(self, event: Event) -> None:
        """Write down `event`, unless it was written with the change that it tells of."""
        if event.name not in _HEARD or (event.name == "job.progress" and not self._is_news(event)):
            return
        try:
            with self._database.write() as connection:
                self._write(connection, event)
        except Superseded:
            self._stop.set()
        except (OperationalError, InterfaceError) as error:
            _log.warning("%s: %s was not written down: %s", event.job_id, event.name, first_line(error))
        self._percent, self._written = event.percent, self._clock.monotonic()

    def _is_news(self, event: Event) -> bool:
        waited = self._clock.monotonic() - self._written
        return event.percent - self._percent >= _POINTS or waited >= _SECONDS

    def _write(self, connection: sa.Connection, event: Event) -> None:
        hold = self._hold
        moves.note_progress_if_held(
            connection,
            hold.job_id,
            hold.attempt,
            hold.owner,
            stage=event.stage,
            progress=event.percent,
            message=event.message,
        )
        match event:
            case Event(name="warning", facts={"code": code}):
                self._warnings[code] = event.message
            case Event(name="stage.reused", stage=str(stage)) if stage not in self._reused:
                self._reused.append(stage)
            case Event(name="stage.left_out", stage=str(stage)):
                self._left_out[stage] = event.message
            case Event(name="job.progress") if event.percent - self._told < _POINTS:
                return
        if event.name in {"warning", "stage.reused", "stage.left_out"}:
            moves.note_facts_if_held(
                connection,
                hold.job_id,
                hold.attempt,
                hold.owner,
                warnings=self._warnings,
                reused=self._reused,
                left_out=self._left_out,
            )
        journal.append(connection, event, batch_id=self._batch_id, worker=hold.owner, account=self._account)
        self._told = event.percent
