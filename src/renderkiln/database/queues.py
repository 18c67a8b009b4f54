"""What people changed about queues at run time. A queue that nobody touched has no row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from renderkiln.database.insert import insert_into
from renderkiln.database.schema import queues


@dataclass(frozen=True)
class QueueRow:
    """Limits are jobs at once: in each worker, and over all workers. None: as the settings say."""

    name: str
    worker_limit: int | None = None
    global_limit: int | None = None
    paused: bool = False


def everyone(connection: sa.Connection) -> dict[str, QueueRow]:
    """By name."""
    return {row.name: QueueRow(**row._mapping) for row in connection.execute(sa.select(queues))}


def find(connection: sa.Connection, name: str) -> QueueRow:
    """The queue, as nobody touched it if there is no row."""
    row = connection.execute(sa.select(queues).where(queues.c.name == name)).first()
    return QueueRow(name) if row is None else QueueRow(**row._mapping)


def put_limits(connection: sa.Connection, name: str, **limits: int | None) -> None:
    """`worker_limit` and `global_limit` from now on; None: as the settings say. What is not given stays."""
    _put(connection, name, **limits)


def put_paused(connection: sa.Connection, name: str, *, paused: bool) -> None:
    """Whether to start no more of its jobs."""
    _put(connection, name, paused=paused)


def _put(connection: sa.Connection, name: str, **values: Any) -> None:
    row = insert_into(connection.dialect.name, queues).values(**{"name": name, "paused": False, **values})
    connection.execute(row.on_conflict_do_update(index_elements=[queues.c.name], set_=values))
