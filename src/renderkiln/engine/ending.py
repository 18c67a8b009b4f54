"""What becomes of a job when an attempt at it ends: one `match`, one transaction."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypedDict

import sqlalchemy as sa

from renderkiln.database import attempts, batches, costs, logs, moves, pictures, stages
from renderkiln.database.attempts import AttemptOutcome, AttemptRow
from renderkiln.domain.cost import Prices
from renderkiln.domain.event import Event, EventName
from renderkiln.domain.job import Job
from renderkiln.domain.outcomes import Cancelled, Done, Failed, Outcome, TryAgain
from renderkiln.domain.report import JobError
from renderkiln.domain.retry import Retry
from renderkiln.domain.work import Work
from renderkiln.engine import dependents
from renderkiln.engine.announce import batch_ended, tell
from renderkiln.engine.records import Hold, Records
from renderkiln.engine.storing import BEGINS, waiting
from renderkiln.engine.ticket import Ticket, Write


class _Used(TypedDict):
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    bytes_in: int


@dataclass
class Usage:
    """What an attempt has used up so far; listens to its events. `peak_bytes` is of the largest process.

    At its second leg, `seconds_before` and `cpu_before` are what its first one took.
    """

    seconds_before: float = 0.0
    cpu_before: float = 0.0
    cpu_seconds: float = 0.0
    peak_bytes: int = 0
    bytes_in: int = 0
    paid: float = 0.0  # to services

    def resume(self, before: AttemptRow) -> None:
        """Go on from what the attempt has used up already."""
        self.seconds_before = before.seconds or 0.0
        self.cpu_before = before.cpu_seconds or 0.0
        self.peak_bytes = before.peak_bytes or 0
        self.bytes_in = before.bytes_in or 0

    def hear(self, event: Event) -> None:
        if event.name in {"stage.completed", "stage.failed", "stage.stopped"}:
            self.paid += event.facts["paid"]
            self.cpu_seconds += event.facts["cpu_seconds"]
            self.peak_bytes = max(self.peak_bytes, event.facts["peak_bytes"] or 0)


@dataclass(frozen=True)
class Ending:
    """Writes the end of the attempt that `hold` names. Raises Superseded where it is not held any more.

    A job that waits for its next attempt goes back into its queue, or stays with `owner_after`. One whose
    files are made waits for a worker on `upload_on`, if that is given. `kept` tells people what becomes of
    what is finished; `log` is what other machines may read of a failure. With `work`, what is finished is
    recorded under this name until the job is completed, for other machines: they may have to go on with it
    even where it is gone here, or the finished files are here only.
    """

    hold: Hold
    job: Job
    retry: Retry
    now: datetime
    seconds: float  # that the attempt took
    usage: Usage
    write_ticket: Write
    records: Records | None
    hand_back: bool
    owner_after: str | None
    kept: str
    prices: Prices = field(default_factory=Prices)
    made: bool = False  # its files are there, and a retry only uploads them
    rendered_in: str | None = None  # the queue where that was, if it is another one by now
    upload_on: str | None = None
    work: str | None = None
    log: str | None = None

    def keeps(self, outcome: Outcome) -> bool:
        """Whether what is finished stays, for the next attempt or a retry. A full disk gets its room back."""
        full = isinstance(outcome, Failed) and outcome.code == "DISK_FULL"
        finished = self.records is not None and not self.records.is_empty
        return finished and not full and not self.made and not isinstance(outcome, Done)

    def write(self, connection: sa.Connection, outcome: Outcome) -> Event:
        """The event it was."""
        match outcome:
            case Done() if self.upload_on is not None:
                return self._hand_over(connection, outcome, self.upload_on)
            case Done():
                return self._complete(connection, outcome)
            case Cancelled() if self.hand_back:
                return self._hand_back(connection)
            case Cancelled():
                return self._cancel(connection, outcome)
            case TryAgain() if (wait := self._wait(outcome)) is not None:
                return self._put_back(connection, outcome, wait)
            case TryAgain() | Failed():
                return self._fail(connection, outcome)

    def account(self, connection: sa.Connection) -> None:
        """Write what the attempt has used, if its job was cancelled by somebody else meanwhile."""
        if attempts.account_if_cancelled(connection, *self._held, **self._used):
            self._charge(connection, 0)

    def is_written(self, connection: sa.Connection, _event: Event) -> bool:
        """Whether this end of the attempt stands there, and not one that somebody else has written."""
        return attempts.was_ended(connection, *self._held, at=self.now)

    def _complete(self, connection: sa.Connection, done: Done) -> Event:
        batches.lock(connection, self.job.batch_id)
        moves.complete_if_held(
            connection,
            *self._held,
            result=done.summary,
            artifacts=done.artifacts,
            now=self.now,
            queue=self.rendered_in,
        )
        if self.work is not None:
            stages.forget_stages(connection, self.work)
        written = sum(artifact.size for artifact in done.artifacts)
        self._end_attempt(connection, "completed", bytes_out=written, work=done.work)
        return self._end_job(
            connection, done, "job.completed", self.job.label, bytes=written, seconds=self.seconds
        )

    def _hand_over(self, connection: sa.Connection, done: Done, host: str) -> Event:
        """To those who upload: no place for renders waits for the network."""
        message, job = "Waiting to be uploaded", waiting(self.job, self.hold.attempt, host)
        moves.note_made_if_held(
            connection,
            *self._held,
            result=done.summary,
            artifacts=done.artifacts,
            queue=job.queue,
            host=host,
            rendered_in=self.job.queue,
            max_attempts=job.max_attempts,
            now=self.now,
        )
        moves.hand_over_if_held(connection, *self._held, progress=BEGINS, message=message, now=self.now)
        written = sum(artifact.size for artifact in done.artifacts)
        self._end_attempt(connection, "handed_over", work=done.work)  # its bytes count when they are stored
        if self.records is not None and self.work is None:
            self.records.forget(connection)
        self.write_ticket(connection, Ticket.of(job, self.hold.attempt))
        return self._say(connection, "job.handed_over", message, bytes=written, seconds=self.seconds)

    def _cancel(self, connection: sa.Connection, cancelled: Cancelled) -> Event:
        message = cancelled.message or (self.kept if self.keeps(cancelled) else "Stopped")
        batches.lock(connection, self.job.batch_id)
        moves.cancel_if_held(connection, *self._held, message=message, now=self.now)
        self._end_attempt(connection, "cancelled", message=message)
        return self._end_job(connection, cancelled, "job.cancelled", message)

    def _fail(self, connection: sa.Connection, failed: TryAgain | Failed) -> Event:
        kept = f"; {self.kept}" if isinstance(failed, TryAgain) and self.keeps(failed) else ""
        if self.made:
            kept = "; its files are made and kept: a retry only uploads them"
        error = JobError(failed.code, failed.message + kept)
        batches.lock(connection, self.job.batch_id)
        moves.fail_if_held(connection, *self._held, error=error, now=self.now)
        self._end_attempt(connection, "failed", code=error.code, message=error.message)
        return self._end_job(
            connection, failed, "job.failed", error.message, code=error.code, seconds=self.seconds
        )

    def _put_back(self, connection: sa.Connection, outcome: TryAgain, wait: float) -> Event:
        message = f"Trying again in {wait:.0f} s: {outcome.message}"
        following = self.hold.attempt + 1
        moves.put_back_if_held(
            connection,
            *self._held,
            next_attempt=following,
            not_before=self.now + timedelta(seconds=wait),
            message=message,
            owner_after=self.owner_after,
        )
        self._end_attempt(connection, "retrying", code=outcome.code, message=outcome.message)
        if self.owner_after is None:
            self.write_ticket(connection, Ticket.of(self.job, following, wait))
        return self._say(connection, "job.retrying", message, seconds=wait, error=outcome.message)

    def _hand_back(self, connection: sa.Connection) -> Event:
        message = "Handed back: its worker is going away"
        moves.hand_back_if_held(connection, *self._held, message=message)
        self._end_attempt(connection, "handed_back")
        self.write_ticket(connection, Ticket.of(self.job, self.hold.attempt))
        return self._say(connection, "job.handed_back", message)

    def _wait(self, outcome: TryAgain) -> float | None:
        retry = replace(self.retry, attempts=self.job.max_attempts)
        wait = retry.delay(self.hold.attempt, random.Random())  # noqa: S311  spreads retries, guards nothing
        return wait if wait is None or outcome.delay is None else outcome.delay

    def _end_attempt(
        self,
        connection: sa.Connection,
        outcome: AttemptOutcome,
        *,
        code: str | None = None,
        message: str = "",
        bytes_out: int = 0,
        work: Work | None = None,
    ) -> None:
        pictures.forget(connection, self.job.id)
        if outcome in {"completed", "cancelled"} and self.hold.attempt > 1:  # one before it had failed
            logs.forget(connection, self.job.id)
        elif code is not None and self.log is not None:
            logs.keep(connection, self.job.id, self.log)
        attempts.end(
            connection,
            self.hold.job_id,
            self.hold.attempt,
            outcome=outcome,
            code=code,
            message=message,
            bytes_out=bytes_out,
            work=work,
            now=self.now,
            **self._used,
        )
        self._charge(connection, bytes_out)

    def _charge(self, connection: sa.Connection, bytes_out: int) -> None:
        cost = self.prices.cost(self.usage.cpu_seconds, bytes_out, self.usage.paid)
        if cost is not None:
            costs.insert(connection, self.job, self.hold.attempt, self.job.account, cost, self.now)

    def _end_job(
        self, connection: sa.Connection, outcome: Outcome, name: EventName, message: str, **facts: Any
    ) -> Event:
        if self.records is not None and self.work is None and not self.keeps(outcome):
            self.records.forget(connection)
        told = self._say(connection, name, message, **facts)
        batch_ended(connection, self.job.batch_id, self.now)
        match outcome:
            case Done():
                dependents.release(connection, self.job.id, self.now, self.write_ticket)
            case Cancelled():
                dependents.give_up(connection, self.job.id, "was cancelled", self.now)
            case _:
                dependents.give_up(connection, self.job.id, "failed", self.now)
        return told

    def _say(self, connection: sa.Connection, name: EventName, message: str, **facts: Any) -> Event:
        facts |= {"attempt": self.hold.attempt, "worker": self.hold.owner}
        return tell(connection, name, self.job, self.now, message=message, **facts)

    @property
    def _used(self) -> _Used:
        return {
            "seconds": self.seconds,
            "cpu_seconds": self.usage.cpu_before + self.usage.cpu_seconds,
            "peak_bytes": self.usage.peak_bytes,
            "bytes_in": self.usage.bytes_in,
        }

    @property
    def _held(self) -> tuple[str, int, str]:
        return self.hold.job_id, self.hold.attempt, self.hold.owner
