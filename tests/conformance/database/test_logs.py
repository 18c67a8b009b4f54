"""The log of a failure, kept for other machines: the latest one, until its job ends well or is forgotten."""

from __future__ import annotations

import sqlalchemy as sa

from databases import a_job, add_batch
from renderkiln.database import logs
from renderkiln.database.engine import Database
from renderkiln.database.schema import jobs


def test_the_latest_is_kept_and_goes_with_its_job(database: Database) -> None:
    add_batch(database, a_job("b-1"), a_job("b-2"))
    with database.write() as connection:
        logs.keep(connection, "b-1", "first\n")
        logs.keep(connection, "b-1", "second: \udcff \x00\n")
        logs.keep(connection, "b-2", "another\n")
        assert logs.find(connection, "b-1") == "second: \udcff \x00\n"
        logs.forget(connection, "b-2")
        assert logs.find(connection, "b-2") is None
        connection.execute(sa.delete(jobs).where(jobs.c.id == "b-1"))
        assert logs.find(connection, "b-1") is None
