"""One attempt at a job, from taking it to what becomes of it. Every write says: only while I hold it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from renderkiln import __version__
from renderkiln.database import attempts, jobs, moves, queues, stages
from renderkiln.database.jobs import StoredJob
from renderkiln.database.stages import StageRow
from renderkiln.domain.asset import Asset
from renderkiln.domain.discretion import places_of
from renderkiln.domain.errors import Superseded, UserError
from renderkiln.domain.fingerprint import fingerprint
from renderkiln.domain.job import Job
from renderkiln.domain.outcomes import Cancelled, Done, Failed, Outcome, TryAgain
from renderkiln.domain.retry import Retry
from renderkiln.domain.states import JobState
from renderkiln.engine import joblog, workfolder
from renderkiln.engine.announce import tell
from renderkiln.engine.cargo import Cargo
from renderkiln.engine.checkpoint import Checkpoint
from renderkiln.engine.chronicle import Chronicle
from renderkiln.engine.context import log_of
from renderkiln.engine.ending import Ending, Usage
from renderkiln.engine.executor import Attempt
from renderkiln.engine.house import House
from renderkiln.engine.intake import prepare_output
from renderkiln.engine.narrator import Listener, Narrator
from renderkiln.engine.persist import persist
from renderkiln.engine.records import Hold, Records
from renderkiln.engine.second_leg import SecondLeg
from renderkiln.engine.sources import Sources, settle
from renderkiln.engine.storing import BEGINS, remove_local
from renderkiln.engine.ticket import Ticket, Write
from renderkiln.engine.verdict import verdict
from renderkiln.engine.workfolder import WorkFolder
from renderkiln.pipelines.contract import Pipeline, Services

_KEY_DIGITS = 24
_TAKEN = "taken"  # in a work folder: files from elsewhere
_LOGGED = {"INTERNAL", "CRASHED"}  # errors whose cause stands in the log


Holding = Callable[[str, int, threading.Event], AbstractContextManager[None]]


class AttemptRun:
    """One attempt of one job. Use it once.

    `holding` is entered while the attempt is held: it sets `stop` when somebody else has it.

    `write_ticket` is called in the transaction that puts a job into a queue. When `stop` is set the work
    ends: the job is handed back if `hand_back` is true then, else it is cancelled. With `stays`, a job that
    waits for its next attempt stays with this executor. `kept` tells people what becomes of what is finished.
    """

    def __init__(
        self,
        house: House,
        job_id: str,
        number: int,
        *,
        write_ticket: Write,
        stop: threading.Event,
        holding: Holding,
        kept: str,
        hand_back: Callable[[], bool] = lambda: False,
        stays: bool = False,
        reuse: bool = True,
        listen: Listener | None = None,
    ) -> None:
        self._house = house
        self._hold = Hold(job_id, number, house.owner)
        self._write_ticket = write_ticket
        self._stop = stop
        self._holding = holding
        self._kept = kept
        self._hand_back = hand_back
        self._owner_after = house.owner if stays else None
        self._reuse = reuse
        self._listen = listen
        self._log = house.logs / f"{job_id}.log"
        self._folder: WorkFolder | None = None
        self._records: Records | None = None
        self._cargo: Cargo | None = None
        self._usage = Usage()
        self._leg = SecondLeg(house.storehouse, house.database, house.clock, self._hold, house.host, stop)
        self._begun = house.clock.monotonic()

    def run(self) -> bool:
        """Run it if it is there to be run; whether it was. Raises nothing for what is wrong with the job."""
        stored = self._take()
        if stored is None:
            return False
        chronicle = Chronicle(self._house.database, self._hold, stored, self._house.clock, self._stop)
        listeners = [self._usage.hear, chronicle.hear, *([self._listen] if self._listen else [])]
        narrator = Narrator(self._hold.job_id, self._house.clock, *listeners, percent=stored.report.progress)
        job = stored.report.job
        facts: dict[str, Any] = {"attempt": self._hold.attempt, "pipeline": job.pipeline, "queue": job.queue}
        if stored.traceparent is not None:
            facts["traceparent"] = stored.traceparent
            if self._hold.attempt == 1 and not stored.made:
                facts["waited_since"] = job.created_at.isoformat()
        narrator.say("job.started", message=job.label, **facts)
        with joblog.logging_to(self._log, self._hold.job_id), ExitStack() as held:
            with self._holding(self._hold.job_id, self._hold.attempt, self._stop):
                outcome = self._work(stored, narrator, held)
            # Nobody watches any more: that it is held no longer is what is written down now.
            self._settle(stored, outcome, narrator)
        return True

    def _take(self) -> StoredJob | None:
        house, hold = self._house, self._hold
        now = house.clock.now()

        def take(connection: sa.Connection) -> StoredJob:
            key = (hold.job_id, hold.attempt, hold.owner)
            stored = moves.start_if_waiting(connection, *key, worker=house.worker, now=now)
            before = self._leg.go_on(connection, house.worker) if stored.made else None
            if before is None:
                attempts.begin(connection, *key, worker=house.worker, now=now)
            else:
                self._usage.resume(before)
            tell(connection, "job.started", stored.report.job, now, worker=hold.owner, attempt=hold.attempt)
            return stored

        def taken(connection: sa.Connection, _stored: StoredJob) -> bool:
            return (hold.job_id, hold.attempt) in jobs.still_held(connection, hold.owner)

        try:
            return persist(house.database, house.clock, take, done=taken)
        except Superseded:
            persist(house.database, house.clock, self._wait_while_paused)
            return None

    def _wait_while_paused(self, connection: sa.Connection) -> None:
        """If its queue was paused after the ticket was drawn, it goes back there."""
        stored = jobs.find(connection, self._hold.job_id)
        if stored is None or not stored.waits_for(self._hold.attempt):
            return
        job = stored.report.job
        if queues.find(connection, job.queue).paused:
            self._write_ticket(connection, Ticket.of(job, self._hold.attempt))

    def _work(self, stored: StoredJob, narrator: Narrator, held: ExitStack) -> Outcome:
        leg = self._leg
        try:
            if (lost := leg.forget_lost(stored)) is not None:
                return lost
            outcome: Outcome | None = leg.made
            if outcome is None:
                attempt = self._prepared(stored, narrator, held)
                outcome = self._house.executor.run_attempt(attempt, narrator, self._stop)
            if isinstance(outcome, Done) and outcome.artifacts and leg.concerns(stored):
                return leg.run(stored, outcome, narrator, None if self._cargo else self._records)
            return outcome
        except Exception as error:  # noqa: BLE001  the border of an attempt
            log_of(self._hold.job_id).error("the attempt ended with an error", exc_info=True)
            return verdict(error, self._house.home)

    def _prepared(self, stored: StoredJob, narrator: Narrator, held: ExitStack) -> Attempt:
        """All that the stages need. The work folder is held until `held` is closed."""
        house, job = self._house, stored.report.job
        pipeline = house.pipeline(job.pipeline)
        services = house.services(stored.output_dir)
        services = replace(services, output=prepare_output(services.output))
        params = pipeline.Params.model_validate(dict(job.params))

        def tell_progress(text: str) -> None:
            narrator.say("job.progress", message=text)

        sources = Sources(house.assets, services, self._stop, tell_progress)
        assets = tuple(map(sources.take, job.inputs))
        named = sources.named(pipeline, params)
        self._usage.bytes_in = sum(asset.size for asset in assets)
        key = fingerprint(identity(pipeline, job, params, assets, services))
        begun = stored.fingerprint if (stored.fingerprint or "").startswith(key[:_KEY_DIGITS]) else None
        self._folder = held.enter_context(self._claim(job, begun or key[:_KEY_DIGITS]))
        self._records = self._begin_records(self._folder, job, begun or self._folder.path.name, tell_progress)
        taken = self._folder.path / _TAKEN  # not in the cache, which is swept while jobs run
        assets = tuple(
            asset if isinstance(given, Path) else settle(asset, taken)
            for given, asset in zip(job.inputs, assets, strict=True)
        )
        return Attempt(
            job=job,
            number=self._hold.attempt,
            pipeline=pipeline,
            params=params,
            assets=assets,
            services=services,
            workdir=self._folder.files,
            records=self._records,
            log=self._log,
            kept=(self._folder.lock,),
            named={place: settle(asset, taken) for place, asset in named.items()},
            reuse=self._reuse,
            until=BEGINS if self._leg.concerns(stored) else 100.0,
        )

    def _claim(self, job: Job, key: str) -> WorkFolder:
        """The folder this job began in, or one that no other job goes on in: not now, and not later."""
        with self._house.database.read() as connection:

            def is_reserved(name: str) -> bool:
                return jobs.is_fingerprint_in_use(connection, name, besides=job.id)

            return workfolder.claim(self._house.work, key, is_reserved)

    def _begin_records(
        self, folder: WorkFolder, job: Job, key: str, tell_progress: Callable[[str], None]
    ) -> Records:
        """What is finished stands under the name of the folder the job began in.

        Two identical jobs at once have two folders. A job that was taken over may be in another one than
        before: its first one may be held by a process that is only stopped, or lie on another machine.
        """
        house, hold = self._house, self._hold
        if not self._reuse:
            folder.clear()

        def begin(connection: sa.Connection) -> list[StageRow]:
            moves.note_facts_if_held(connection, hold.job_id, hold.attempt, hold.owner, fingerprint=key)
            if not self._reuse:
                stages.forget_stages(connection, key)
            return stages.results(connection, key)

        if house.carrier is not None:
            self._cargo = Cargo(house.carrier, job.id, key, folder.files)
        finished = persist(house.database, house.clock, begin)
        records = Records(
            house.database,
            hold,
            house.clock,
            folder.files,
            fingerprint=key,
            job=job,
            finished=finished,
            cargo=self._cargo,
        )
        if records.is_empty:  # a film there that a killed process left may be one with a published film
            folder.clear()
            return records
        records.part_from_finished()
        if self._cargo is not None:
            known = [(Checkpoint.from_json(row.result), row.seconds) for row in finished if row.result]
            self._cargo.bring(known, self._stop.is_set, tell_progress)
        return records

    def _settle(self, stored: StoredJob, outcome: Outcome, narrator: Narrator) -> None:
        """Write what became of the attempt. Changes nothing where someone else holds the job now."""
        house, leg = self._house, self._leg
        job, rendered_in = leg.rest(stored)
        if isinstance(outcome, TryAgain | Failed) and outcome.code in _LOGGED:
            outcome = replace(outcome, message=f"{outcome.message} (details in {self._log})")
        work = None if house.carrier is None else self._cargo.work if self._cargo else stored.fingerprint
        ending = Ending(
            hold=self._hold,
            job=job,
            retry=self._retry(job),
            now=house.clock.now(),
            seconds=self._usage.seconds_before + house.clock.monotonic() - self._begun,
            usage=self._usage,
            write_ticket=self._write_ticket,
            records=self._records,
            hand_back=self._hand_back(),
            owner_after=self._owner_after,
            kept=self._kept,
            prices=house.prices,
            made=leg.made is not None,
            rendered_in=rendered_in,
            upload_on=leg.upload_on,
            work=work,
            log=self._log_told(stored, outcome),
        )
        if self._cargo is not None and isinstance(outcome, Cancelled) and ending.hand_back:
            self._cargo.settle()
        if isinstance(outcome, Failed) and outcome.code == "DISK_FULL":
            self._leave(keep=False)  # before it is written down: a full disk takes no word
        try:
            told = persist(
                house.database,
                house.clock,
                lambda c: ending.write(c, outcome),
                done=ending.is_written,
                wait_for_room=True,
            )
        except Superseded:
            if self._cargo is not None:
                self._cargo.drop()
            persist(house.database, house.clock, ending.account)
            state = self._state()
            self._leave(keep=state not in {None, "completed"})  # a retry goes on with what is recorded
            if state in {None, "cancelled"}:
                narrator.say("job.cancelled", message="While nothing was heard of this worker")
            else:
                narrator.say(
                    "job.taken_over", message="Another worker has it, as nothing was heard of this one"
                )
            return
        goes_on = told.name in {"job.retrying", "job.handed_back"} and not ending.made
        keep = goes_on or ending.keeps(outcome)
        self._leave(keep=keep)
        stored_there = self._cargo is None or self._cargo.lies_there
        if house.carrier is not None and work is not None and told.name == "job.completed" and stored_there:
            house.carrier.forget(work)
        if told.name in {"job.completed", "job.cancelled"} or (
            isinstance(outcome, Failed) and outcome.code == "INVALID"
        ):  # nothing in it that anybody looks for
            self._log.unlink(missing_ok=True)
        if told.name == "job.completed":
            narrator.finish()
            if isinstance(outcome, Done):
                remove_local(outcome, stored.output_dir)
        narrator.say(told.name, message=told.message, **told.facts)

    def _log_told(self, stored: StoredJob, outcome: Outcome) -> str | None:
        """What others are told of the log. With SQLite they are on this machine, where it lies."""
        is_told = isinstance(outcome, TryAgain | Failed) and outcome.code != "DISK_FULL"
        if not is_told or self._house.database.is_sqlite:
            return None
        return joblog.kept_of(self._log, self._house.home, stored.output_dir, *places_of(stored.report))

    def _retry(self, job: Job) -> Retry:
        try:
            return self._house.retry(self._house.pipeline(job.pipeline))
        except UserError:  # the plug-in is gone
            return Retry()

    def _state(self) -> JobState | None:
        """Of the job, as others have left it; None if it is forgotten."""
        with self._house.database.read() as connection:
            stored = jobs.find(connection, self._hold.job_id)
        return None if stored is None else stored.report.state

    def _leave(self, *, keep: bool) -> None:
        if self._folder is None or keep:
            return
        if self._cargo is not None:  # its files are about to go
            self._cargo.drop()
        if self._house.keep_work:
            self._folder.set_aside(f"kept.{self._hold.job_id}")
        else:
            self._folder.remove()
        self._folder = None


def identity(
    pipeline: Pipeline, job: Job, params: Any, assets: tuple[Asset, ...], services: Services
) -> Mapping[str, Any]:
    """What decides the output: the same facts continue the same work."""
    return {
        "pipeline": [job.pipeline, pipeline.version, __version__],
        "params": job.params,
        "inputs": [[asset.name, asset.sha256] for asset in assets],
        "pipeline_says": pipeline.fingerprint(params, services),
        "output": services.output,
    }
