"""What is old is found in a read transaction and forgotten in a short write transaction, few rows at a time.

Each `forget` asks once more: what was reopened meanwhile stays, and of two who come at once, one waits for
nobody and finds less to do.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from renderkiln.database.schema import (
    batches,
    deliveries,
    dependencies,
    events,
    handlers,
    jobs,
    stages,
    webhooks,
)
from renderkiln.domain.states import ENDED

_OPEN = sa.alias(jobs, "open_jobs")


class StageKey(NamedTuple):
    """A row of a finished stage or part."""

    fingerprint: str
    stage: str
    part: str


def old_jobs(connection: sa.Connection, moment: datetime, limit: int) -> list[str]:
    """Ids of jobs that ended before `moment` and that nobody needs any more, the oldest first.

    The jobs of a batch stay until all have ended, so that its totals are true; a job stays while an open one
    depends on it or goes on with its finished stages.
    """
    found = sa.select(jobs.c.id).where(*_is_old(moment)).order_by(jobs.c.completed_at, jobs.c.id)
    return list(connection.scalars(found.limit(limit)))


def forget_jobs(connection: sa.Connection, ids: Sequence[str], moment: datetime) -> int:
    """Delete these jobs with all that hangs on them; how many there were."""
    free = sa.select(jobs.c.id).where(jobs.c.id.in_(ids), *_is_old(moment)).order_by(jobs.c.id)
    return _delete(connection, jobs, jobs.c.id.in_(free.with_for_update(of=jobs, skip_locked=True)))


def empty_batches(connection: sa.Connection, moment: datetime, limit: int) -> list[str]:
    """Ids of batches from before `moment` whose jobs are all forgotten.

    One that was submitted with an idempotency key is not among them: keys are for ever, so the same request
    is answered with this batch when its jobs are long forgotten.
    """
    found = sa.select(batches.c.id).where(*_is_empty(moment)).order_by(batches.c.created_at, batches.c.id)
    return list(connection.scalars(found.limit(limit)))


def forget_batches(connection: sa.Connection, ids: Sequence[str], moment: datetime) -> int:
    """Delete these batches; how many there were."""
    free = sa.select(batches.c.id).where(batches.c.id.in_(ids), *_is_empty(moment)).order_by(batches.c.id)
    return _delete(connection, batches, batches.c.id.in_(free.with_for_update(of=batches, skip_locked=True)))


def old_events(connection: sa.Connection, moment: datetime, limit: int) -> list[int]:
    """Numbers of events from before `moment`."""
    found = sa.select(events.c.seq).where(events.c.at < moment).order_by(events.c.at, events.c.seq)
    return list(connection.scalars(found.limit(limit)))


def forget_events(connection: sa.Connection, numbers: Sequence[int]) -> int:
    """Delete these events; how many there were."""
    free = sa.select(events.c.seq).where(events.c.seq.in_(numbers)).order_by(events.c.seq)
    return _delete(connection, events, events.c.seq.in_(free.with_for_update(skip_locked=True)))


def old_deliveries(connection: sa.Connection, moment: datetime, limit: int) -> list[str]:
    """Ids of deliveries from before `moment` that have ended, or that nobody wants any more."""
    found = sa.select(deliveries.c.id).where(*_is_past(moment)).order_by(deliveries.c.created_at)
    return list(connection.scalars(found.limit(limit)))


def forget_deliveries(connection: sa.Connection, ids: Sequence[str], moment: datetime) -> int:
    """Delete these deliveries; how many there were."""
    free = sa.select(deliveries.c.id).where(deliveries.c.id.in_(ids), *_is_past(moment))
    locked = free.order_by(deliveries.c.id).with_for_update(of=deliveries, skip_locked=True)
    return _delete(connection, deliveries, deliveries.c.id.in_(locked))


def old_stages(connection: sa.Connection, moment: datetime, limit: int) -> list[StageKey]:
    """Stages and parts of jobs that ended before `moment`, as far as no open job goes on with them."""
    found = sa.select(*_KEY).join(jobs, jobs.c.id == stages.c.job_id).where(*_is_left(moment))
    return [StageKey(*row) for row in connection.execute(found.limit(limit))]


def forget_stages(connection: sa.Connection, keys: Sequence[StageKey], moment: datetime) -> int:
    """Delete these stages and parts; how many there were."""
    key = sa.tuple_(*_KEY)
    free = sa.select(*_KEY).join(jobs, jobs.c.id == stages.c.job_id)
    free = free.where(key.in_(keys), *_is_left(moment)).order_by(*_KEY)
    return _delete(connection, stages, key.in_(free.with_for_update(of=stages, skip_locked=True)))


def known_work(connection: sa.Connection, fingerprints: Collection[str]) -> set[str]:
    """Those of the fingerprints under which something is recorded, or that an open job has."""
    recorded = sa.select(stages.c.fingerprint).where(stages.c.fingerprint.in_(fingerprints))
    open_ = sa.select(jobs.c.fingerprint).where(
        jobs.c.fingerprint.in_(fingerprints), jobs.c.state.not_in(ENDED)
    )
    return set(connection.scalars(sa.union(recorded, open_)))


def known_jobs(connection: sa.Connection, ids: Sequence[str]) -> set[str]:
    """Those of the ids that have a job."""
    return set(connection.scalars(sa.select(jobs.c.id).where(jobs.c.id.in_(ids))))


_Condition = sa.ColumnElement[bool]
_KEY = (stages.c.fingerprint, stages.c.stage, stages.c.part)


def _is_old(moment: datetime) -> tuple[_Condition, ...]:
    is_open = _OPEN.c.state.not_in(ENDED)
    needed = sa.exists().where(
        dependencies.c.needs_job_id == jobs.c.id, _OPEN.c.id == dependencies.c.job_id, is_open
    )
    # Of the batch and not of its jobs: one look, however many jobs there are.
    running = sa.exists().where(batches.c.id == jobs.c.batch_id, batches.c.completed_at.is_(None))
    continued = sa.exists().where(_OPEN.c.fingerprint == jobs.c.fingerprint, is_open)
    return jobs.c.state.in_(ENDED), jobs.c.completed_at < moment, ~needed, ~running, ~continued


def _is_empty(moment: datetime) -> tuple[_Condition, ...]:
    has_jobs = sa.exists().where(jobs.c.batch_id == batches.c.id)
    return batches.c.created_at < moment, batches.c.idempotency_key.is_(None), ~has_jobs


def _is_past(moment: datetime) -> tuple[_Condition, ...]:
    # What waits for a webhook that is disabled waits no longer than what has ended is kept.
    waits = sa.exists().where(webhooks.c.id == deliveries.c.webhook_id, webhooks.c.enabled)
    handled = sa.exists().where(handlers.c.type == deliveries.c.handler)
    is_over = sa.or_(deliveries.c.state != "pending", ~sa.or_(waits, handled))
    return deliveries.c.created_at < moment, is_over


def _is_left(moment: datetime) -> tuple[_Condition, ...]:
    continued = sa.exists().where(_OPEN.c.fingerprint == stages.c.fingerprint, _OPEN.c.state.not_in(ENDED))
    return jobs.c.state.in_(ENDED), jobs.c.completed_at < moment, ~continued


def _delete(connection: sa.Connection, table: sa.Table, *conditions: Any) -> int:
    return connection.execute(sa.delete(table).where(*conditions)).rowcount
