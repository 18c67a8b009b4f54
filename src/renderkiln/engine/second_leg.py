"""The second leg of an attempt: its files are made, and go to the storage.

That has a queue of its own, so that no place for renders waits for the network. It is drawn on the machine
that has the files: by workers that have this queue, or where there is none, by those who render (`StandIn`).
What is made stands in rows: whoever goes on after a death only uploads.
"""

from __future__ import annotations

import threading
from dataclasses import replace

import sqlalchemy as sa

from renderkiln.database import attempts, jobs, moves, workers
from renderkiln.database.attempts import AttemptRow
from renderkiln.database.engine import Database
from renderkiln.database.jobs import StoredJob
from renderkiln.domain.clock import Clock
from renderkiln.domain.job import Job
from renderkiln.domain.outcomes import Done, Outcome, TryAgain
from renderkiln.domain.queue import UPLOADS
from renderkiln.domain.work import Work
from renderkiln.engine.narrator import Narrator
from renderkiln.engine.persist import persist
from renderkiln.engine.records import Hold, Records
from renderkiln.engine.storing import Storehouse, Storing, is_here, waiting
from renderkiln.storage.errors import Altered

_LOST = TryAgain("ARTIFACT_LOST", "its files were made, but are missing or changed now: made anew", 0.0)


class SecondLeg:
    """What one attempt, run on `host`, does about uploads. Without `storehouse`, files stay where they are.

    `made` is what it has made so far, as it stands in rows. `upload_on` is the machine that its files are to
    wait on for those who upload, once that is decided.
    """

    def __init__(
        self,
        storehouse: Storehouse | None,
        database: Database,
        clock: Clock,
        hold: Hold,
        host: str,
        stop: threading.Event,
    ) -> None:
        self._storehouse, self._database, self._clock = storehouse, database, clock
        self._hold, self._host, self._stop = hold, host, stop
        self.made: Done | None = None
        self.upload_on: str | None = None
        self._waiting: Job | None = None  # as it stands in rows while this attempt uploads itself

    def concerns(self, stored: StoredJob) -> bool:
        """Whether the job's files are to be uploaded. What is made here and now stays here."""
        return self._storehouse is not None and not stored.direct

    def go_on(self, connection: sa.Connection, worker: str) -> AttemptRow | None:
        """Learn what was made; what the attempt has used so far, if it is the same one."""
        self.made = jobs.made(connection, self._hold.job_id)
        before = attempts.go_on(connection, *self._key, worker=worker)
        if self.made is not None and before is not None and before.kind and before.units and before.unit:
            self.made = replace(self.made, work=Work(before.kind, before.units, before.unit))
        return before

    def rest(self, stored: StoredJob) -> tuple[Job, str | None]:
        """The job as whoever goes on with it finds it; the queue it was rendered in, if it is not there."""
        job = stored.report.job
        if self._waiting is not None:
            return self._waiting, job.queue
        if self.made is None:
            return replace(job, queue=stored.rendered_in or job.queue, host=None), None
        return job, stored.rendered_in

    def forget_lost(self, stored: StoredJob) -> Outcome | None:
        """Where files that were made are gone, they are made anew: by this attempt, or in their own queue."""
        if self.made is None or all(file.kept or is_here(file) for file in self.made.artifacts):
            return None
        self._forget()
        return None if stored.report.job.host is None else _LOST

    def run(self, stored: StoredJob, done: Done, narrator: Narrator, records: Records | None) -> Outcome:
        """Leave it to those who upload on this machine; without any, do it here. Raises as `Storing.run`.

        `records` of the stages are forgotten once the files stand in rows.
        """
        job = stored.report.job
        assert self._storehouse is not None
        if job.host is None and self._others_upload():
            self.upload_on = self._host
            return done
        if job.host is None:
            self._note_made(done, job, records)
        upload = Storing(self._storehouse, self._database, self._clock, self._hold, job, narrator, self._stop)
        try:
            return upload.run(done)
        except Altered:
            self._forget()
            return _LOST

    def _others_upload(self) -> bool:
        with self._database.read() as connection:
            return UPLOADS in workers.drawn_on(connection, self._host)

    def _note_made(self, done: Done, job: Job, records: Records | None) -> None:
        """Its files lie here: from now on, it goes on here only."""
        rest, now = waiting(job, self._hold.attempt, self._host), self._clock.now()

        def note(connection: sa.Connection) -> None:
            moves.note_made_if_held(
                connection,
                *self._key,
                result=done.summary,
                artifacts=done.artifacts,
                queue=rest.queue,
                host=self._host,
                rendered_in=job.queue,
                max_attempts=rest.max_attempts,
                now=now,
            )
            if records is not None:
                records.forget(connection)

        persist(self._database, self._clock, note)
        self.made, self._waiting = done, rest

    def _forget(self) -> None:
        persist(self._database, self._clock, lambda c: moves.forget_made_if_held(c, *self._key))
        self.made, self._waiting = None, None

    @property
    def _key(self) -> tuple[str, int, str]:
        return self._hold.job_id, self._hold.attempt, self._hold.owner
