"""How many jobs wait and run, and since when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from renderkiln.database.schema import jobs
from renderkiln.domain.states import EDGES, ENDED, STATES, JobState


def counts(connection: sa.Connection) -> Mapping[str, Mapping[JobState, int]]:
    """How many jobs of each queue are in each state; what is zero is missing."""
    grouped = sa.select(jobs.c.queue, jobs.c.state, sa.func.count()).group_by(jobs.c.queue, jobs.c.state)
    found: defaultdict[str, dict[JobState, int]] = defaultdict(dict)
    for queue, state, number in connection.execute(grouped):
        found[queue][state] = number
    return dict(found)


def due(connection: sa.Connection, now: datetime) -> dict[str, int]:
    """By queue, how many jobs wait that could begin now; what is zero is missing."""
    waiting = (jobs.c.state == EDGES["start"][0], jobs.c.owner.is_(None))
    ready = sa.or_(jobs.c.not_before.is_(None), jobs.c.not_before <= now)
    number = sa.func.count().label("number")
    query = sa.select(jobs.c.queue, number).where(*waiting, ready).group_by(jobs.c.queue)
    return {row.queue: row.number for row in connection.execute(query)}


def oldest_waiting(connection: sa.Connection) -> Mapping[str, datetime]:
    """By queue, since when its oldest waiting job could have begun; in the future where all are scheduled.

    Those that somebody holds, to run them here and now, are not the queue's.
    """
    since = sa.func.coalesce(jobs.c.not_before, jobs.c.created_at)
    oldest = sa.func.min(since, type_=jobs.c.created_at.type).label("since")
    waiting = sa.and_(jobs.c.state == EDGES["start"][0], jobs.c.owner.is_(None))
    found = connection.execute(sa.select(jobs.c.queue, oldest).where(waiting).group_by(jobs.c.queue))
    return {row.queue: row.since for row in found}


def count_open(connection: sa.Connection, account: str) -> int:
    """How many jobs of an account have not ended."""
    open_ = (jobs.c.account == account, jobs.c.state.in_(sorted(set(STATES) - ENDED)))
    return connection.execute(sa.select(sa.func.count()).where(*open_)).scalar_one()
