"""The picture of a running job: its holder shows it, and it goes with the attempt."""

from __future__ import annotations

from datetime import timedelta

from databases import NOON, a_job, add_batch, start
from renderkiln.database import pictures
from renderkiln.database.engine import Database


def show(database: Database, jpeg: bytes, owner: str = "w1", attempt: int = 1) -> None:
    with database.write() as connection:
        pictures.show(connection, "b-1", attempt, owner, jpeg, NOON + timedelta(seconds=len(jpeg)))


def latest(database: Database) -> bytes | None:
    with database.read() as connection:
        found = pictures.latest(connection, "b-1")
    if found is None:
        return None
    assert found[1] == NOON + timedelta(seconds=len(found[0]))
    return found[0]


def test_the_latest_is_kept_and_only_its_holder_shows_one(database: Database) -> None:
    add_batch(database, a_job("b-1"))
    show(database, b"too early")
    assert latest(database) is None
    start(database)
    show(database, b"\xff\xd8one")
    show(database, b"\xff\xd8another")
    show(database, b"stranger", owner="w2")
    show(database, b"old attempt", attempt=0)
    assert latest(database) == b"\xff\xd8another"
    with database.write() as connection:
        pictures.forget(connection, "b-1")
    assert latest(database) is None
