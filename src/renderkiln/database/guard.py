"""Changes of one job along the edges of `domain.states`: they happen where the edge begins, or not at all."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from renderkiln.database.schema import jobs
from renderkiln.domain.errors import Superseded
from renderkiln.domain.states import EDGES, Verb

PROCESSING = EDGES["start"][1]

Condition = sa.ColumnElement[bool]


def holds(attempt: int, owner: str) -> Condition:
    """True while this attempt of the job is running, and this executor runs it."""
    return sa.and_(jobs.c.state == PROCESSING, jobs.c.attempt == attempt, jobs.c.owner == owner)


def move(connection: sa.Connection, verb: Verb, id: str, *conditions: Condition, **values: Any) -> None:
    """Move the job along an edge. Raises Superseded where it is in another state or a condition fails."""
    source, target = EDGES[verb]
    change(connection, id, jobs.c.state == source, *conditions, state=target, **values)


def change(connection: sa.Connection, id: str, *conditions: Condition, **values: Any) -> None:
    """Change columns of the job. Raises Superseded where a condition fails."""
    done = connection.execute(sa.update(jobs).where(jobs.c.id == id, *conditions).values(**values))
    if done.rowcount == 0:
        raise superseded(connection, id)


def lock_held(connection: sa.Connection, id: str, attempt: int, owner: str) -> None:
    """Nobody takes the job until this transaction ends. Raises Superseded where it is taken already."""
    # SQLite has no FOR UPDATE and needs none: a write transaction is alone.
    held = sa.select(jobs.c.id).where(jobs.c.id == id, holds(attempt, owner)).with_for_update()
    if connection.execute(held).first() is None:
        raise superseded(connection, id)


def superseded(connection: sa.Connection, id: str) -> Superseded:
    """The error that says how the job stands instead."""
    now = connection.execute(
        sa.select(jobs.c.state, jobs.c.attempt, jobs.c.owner).where(jobs.c.id == id)
    ).first()
    if now is None:
        return Superseded(f"there is no job {id} any more: nothing was changed")
    by = f", held by {now.owner}" if now.owner else ""
    return Superseded(f"job {id} is {now.state} now, attempt {now.attempt}{by}: nothing was changed")
