"""Executors that are alive, or were until they fell silent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from renderkiln.database.insert import insert_into
from renderkiln.database.schema import workers


@dataclass(frozen=True)
class NewWorker:
    """An executor as it announces itself. `id` is new at every start; `name` is for people.

    `pid` is of a process on `host`; `machine` is where its files are (None: of a version that knew no other
    name than the host's).
    """

    id: str
    name: str
    host: str
    pid: int
    queues: tuple[str, ...]
    concurrency: int
    started_at: datetime  # aware
    direct: bool = False  # runs only what its own process asked for
    machine: str | None = None

    @property
    def place(self) -> str:
        """The name of the machine where its files are."""
        return self.machine or self.host


@dataclass(frozen=True)
class StoredWorker(NewWorker):
    """An executor as it stands. `beat` grows while it lives; `seen_at` is by its own clock."""

    beat: int = 0
    seen_at: datetime | None = None
    draining: bool = False


def register(connection: sa.Connection, worker: NewWorker) -> None:
    """Announce an executor; one that was struck off by mistake may come back."""
    values = {**asdict(worker), "queues": list(worker.queues)}
    values |= {"beat": 0, "seen_at": worker.started_at, "draining": False}
    row = insert_into(connection.dialect.name, workers).values(**values)
    connection.execute(row.on_conflict_do_update(index_elements=[workers.c.id], set_=values))


def beat(connection: sa.Connection, id: str, now: datetime) -> bool:
    """Say that it lives; False where it was struck off."""
    alive = sa.update(workers).where(workers.c.id == id).values(beat=workers.c.beat + 1, seen_at=now)
    return connection.execute(alive).rowcount == 1


def beats(connection: sa.Connection) -> Mapping[str, int]:
    """The beat of every executor by its id."""
    return {row.id: row.beat for row in connection.execute(sa.select(workers.c.id, workers.c.beat))}


def find(connection: sa.Connection, id: str) -> StoredWorker | None:
    """The executor, if it was not struck off."""
    row = connection.execute(sa.select(workers).where(workers.c.id == id)).first()
    return None if row is None else _stored(row)


def everyone(connection: sa.Connection) -> list[StoredWorker]:
    """All executors, the longest running first."""
    ordered = sa.select(workers).order_by(workers.c.started_at, workers.c.id)
    return [_stored(row) for row in connection.execute(ordered)]


def drawn_on(connection: sa.Connection, place: str) -> set[str]:
    """The queues that executors on this machine take jobs of, and go on to do so."""
    where = sa.func.coalesce(workers.c.machine, workers.c.host)
    here = (where == place, sa.not_(workers.c.draining), sa.not_(workers.c.direct))
    return set().union(*connection.scalars(sa.select(workers.c.queues).where(*here)))


def drain(connection: sa.Connection, id: str) -> bool:
    """Note that it takes no more jobs; False where it was struck off."""
    draining = sa.update(workers).where(workers.c.id == id).values(draining=True)
    return connection.execute(draining).rowcount == 1


def remove(connection: sa.Connection, id: str) -> bool:
    """Strike it off; False where somebody else did."""
    return connection.execute(sa.delete(workers).where(workers.c.id == id)).rowcount == 1


def _stored(row: sa.Row[Any]) -> StoredWorker:
    return StoredWorker(**{**row._mapping, "queues": tuple(row.queues)})
