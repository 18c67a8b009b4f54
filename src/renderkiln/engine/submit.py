"""Jobs become rows and tickets in one transaction: all of a batch or nothing."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from renderkiln.database import backlog, batches, dependencies, keys
from renderkiln.database.engine import Database
from renderkiln.domain.clock import Clock
from renderkiln.domain.errors import UserError
from renderkiln.domain.states import ENDED
from renderkiln.engine import budget
from renderkiln.engine.persist import PEOPLE, persist
from renderkiln.engine.submission import Submission, insert
from renderkiln.engine.ticket import Ticket
from renderkiln.engine.tickets import Tickets
from renderkiln.events.subscription import subscribe


class KeyTaken(UserError):
    """The idempotency key was used for another request."""


class TooManyOpen(UserError):
    """The account has as many jobs that have not ended as it may have."""


def submit(database: Database, tickets: Tickets, clock: Clock, submission: Submission) -> str:
    """Queue all jobs of `submission`; the id of their batch, or of the one its key was used for first.

    Raises UserError when the key was used for another request, the batch exists already, a job that is needed
    is not there or has failed, or it would be more than may be open (TooManyOpen) or spent (OverBudget).
    """
    now = clock.now()
    if submission.key is not None:
        _ = submission.sha256  # while nobody waits for a lock of ours

    def is_stored(connection: sa.Connection, batch_id: str) -> bool:
        found = batches.find(connection, batch_id)
        return found is not None and found.created_at == now

    return persist(
        database,
        clock,
        lambda c: _stored(c, tickets, submission, now),
        done=is_stored,
        patience=PEOPLE,
    )


def _stored(connection: sa.Connection, tickets: Tickets, submission: Submission, now: datetime) -> str:
    if (first := _first_use(connection, submission)) is not None:
        return first
    _check_open(connection, submission)
    if submission.paid_by is not None:
        budget.check(connection, submission.paid_by, sum(submission.expected_costs.values()), now)
    insert(connection, submission, now)
    _subscribe(connection, submission, now)
    waiting = _waiting_for_others(connection, submission)
    delay = 0.0 if submission.not_before is None else (submission.not_before - now).total_seconds()
    for job in submission.jobs:
        if job.id not in waiting:
            tickets.write(connection, Ticket.of(job, 1, delay))
    return submission.batch_id


def _subscribe(connection: sa.Connection, submission: Submission, now: datetime) -> None:
    hook = submission.hook
    if hook is not None:
        subscribe(
            connection,
            hook.url,
            now,
            secret=hook.secret,
            account=submission.account,
            job_id=submission.jobs[0].id if submission.one else None,
            batch_id=None if submission.one else submission.batch_id,
            allow_private=hook.allow_private,
        )


def _first_use(connection: sa.Connection, submission: Submission) -> str | None:
    if submission.key is None:
        return None
    found = batches.by_idempotency_key(connection, submission.key)
    if found is None:
        return None
    if found.request_sha256 != submission.sha256:
        raise KeyTaken(
            f"the idempotency key {submission.key.rpartition('/')[2]!r} was used for another request, "
            f"batch {found.id}: use a new key, or repeat the request as it was"
        )
    return found.id


def _check_open(connection: sa.Connection, submission: Submission) -> None:
    if submission.most_open is None:
        return
    keys.lock_account(connection, submission.account)
    open_ = backlog.count_open(connection, submission.account)
    if open_ + len(submission.jobs) > submission.most_open:
        raise TooManyOpen(
            f"{open_:,} jobs of yours have not ended, and {submission.most_open:,} is the most "
            "(setting max_open_jobs): wait for some, or cancel them"
        )


def _waiting_for_others(connection: sa.Connection, submission: Submission) -> set[str]:
    """The jobs that begin when others are completed: those write their tickets then."""
    position = {job.id: number for number, job in enumerate(submission.jobs)}
    for id, needed in submission.needs.items():
        for other in needed:
            if position.get(other, -1) >= position[id]:
                raise UserError(f"job {id} needs job {other}, which does not stand before it in its batch")
    dependencies.lock_needed(connection, submission.needs)
    dependencies.insert(connection, submission.needs)
    unmet = dependencies.unmet(connection, list(submission.needs))
    for id, others in unmet.items():
        for other, state in others.items():
            if state in ENDED:
                raise UserError(f"job {id} needs job {other}, which is {state}: retry that one first")
    return set(unmet)
