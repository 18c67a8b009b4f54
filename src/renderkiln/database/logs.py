"""The end of the log of a job that has failed, for whoever is not at the machine that made it."""

from __future__ import annotations

import sqlalchemy as sa

from renderkiln.database.insert import insert_into
from renderkiln.database.schema import logs


def keep(connection: sa.Connection, job_id: str, text: str) -> None:
    """Keep this one, and none before it."""
    row = insert_into(connection.dialect.name, logs).values(job_id=job_id, text=text)
    connection.execute(row.on_conflict_do_update(index_elements=[logs.c.job_id], set_={"text": text}))


def find(connection: sa.Connection, job_id: str) -> str | None:
    """What is kept of it."""
    return connection.scalar(sa.select(logs.c.text).where(logs.c.job_id == job_id))


def forget(connection: sa.Connection, job_id: str) -> None:
    """Its job has ended well, or as somebody wished."""
    connection.execute(sa.delete(logs).where(logs.c.job_id == job_id))
