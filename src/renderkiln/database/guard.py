"""Changes of one job along the edges of `domain.states`: they happen where the edge begins, or not at all."""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa

from renderkiln.database.schema import jobs
from renderkiln.domain.errors import Superseded
from renderkiln.domain.states import EDGES, Verb

PROCESSING = EDGES["start"][1]

Condition = sa.ColumnElement[bool]

_HELD = sa.and_(
    jobs.c.id == sa.bindparam("held_id"),
    jobs.c.state == PROCESSING,
    jobs.c.attempt == sa.bindparam("held_attempt"),
    jobs.c.owner == sa.bindparam("held_owner"),
)
# SQLite has no FOR UPDATE and needs none: a write transaction is alone.
_LOCK_HELD = sa.select(jobs.c.id).where(_HELD).with_for_update()


def move(connection: sa.Connection, verb: Verb, id: str, *conditions: Condition, **values: Any) -> None:
    """Move the job along an edge. Raises Superseded where it is in another state or a condition fails."""
    source, target = EDGES[verb]
    change(connection, id, jobs.c.state == source, *conditions, state=target, **values)


def change(connection: sa.Connection, id: str, *conditions: Condition, **values: Any) -> None:
    """Change columns of the job. Raises Superseded where a condition fails."""
    done = connection.execute(sa.update(jobs).where(jobs.c.id == id, *conditions).values(**values))
    if done.rowcount == 0:
        raise superseded(connection, id)


def move_held(
    connection: sa.Connection, verb: Verb, id: str, attempt: int, owner: str, /, **values: Any
) -> None:
    """Move the job along an edge. Raises Superseded unless this attempt runs, and this executor runs it."""
    source, target = EDGES[verb]
    assert source == PROCESSING, verb
    change_held(connection, id, attempt, owner, state=target, **values)


def change_held(connection: sa.Connection, id: str, attempt: int, owner: str, /, **values: Any) -> None:
    """Change columns of the job, as `move_held`. Progress never falls. `values` are no expressions."""
    statement = _held_change(tuple(values))
    new = {f"new_{name}": value for name, value in values.items()}
    done = connection.execute(statement, {**_held(id, attempt, owner), **new})
    if done.rowcount == 0:
        raise superseded(connection, id)


def lock_held(connection: sa.Connection, id: str, attempt: int, owner: str) -> None:
    """Nobody takes the job until this transaction ends. Raises Superseded where it is taken already."""
    if connection.execute(_LOCK_HELD, _held(id, attempt, owner)).first() is None:
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


@cache  # to make a statement costs more than to run it, and these are run several times for each job
def _held_change(columns: tuple[str, ...]) -> sa.Update:
    new = {name: sa.bindparam(f"new_{name}", type_=jobs.c[name].type) for name in columns}
    changed: dict[str, Any] = dict(new)
    if "progress" in new:
        changed["progress"] = sa.case(
            (jobs.c.progress < new["progress"], new["progress"]), else_=jobs.c.progress
        )
    return sa.update(jobs).where(_HELD).values(changed)


def _held(id: str, attempt: int, owner: str) -> dict[str, Any]:
    return {"held_id": id, "held_attempt": attempt, "held_owner": owner}
