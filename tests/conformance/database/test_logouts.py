"""Who has logged out stays out, and is forgotten when it does not matter any more."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from databases import NOON
from renderkiln.database import logouts
from renderkiln.database.engine import Database
from renderkiln.database.schema import logouts as table

WEEK = timedelta(days=7)


def test_a_session_is_ended_once_and_for_as_long_as_it_would_last(database: Database) -> None:
    with database.write() as connection:
        for _ in range(2):
            logouts.note(connection, "link.1", NOON + WEEK, NOON)
    with database.read() as connection:
        assert logouts.is_noted(connection, "link.1")
        assert not logouts.is_noted(connection, "link.2")
    later = NOON + WEEK + timedelta(seconds=1)
    with database.write() as connection:
        logouts.note(connection, "link.2", later + WEEK, later)
        assert connection.scalars(sa.select(table.c.session)).all() == ["link.2"]
