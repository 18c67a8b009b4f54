"""The latest picture of what a running job makes. It goes with the job's end."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from renderkiln.database.insert import insert_into
from renderkiln.database.schema import jobs, pictures


def show(
    connection: sa.Connection, job_id: str, attempt: int, owner: str, jpeg: bytes, now: datetime
) -> None:
    """Keep this one, and none before it; nothing if somebody else holds the job."""
    held = (
        jobs.c.id == job_id,
        jobs.c.attempt == attempt,
        jobs.c.owner == owner,
        jobs.c.state == "processing",
    )
    if connection.execute(sa.select(jobs.c.id).where(*held).with_for_update()).first() is None:
        return
    values = {"jpeg": jpeg, "at": now}
    row = insert_into(connection.dialect.name, pictures).values(job_id=job_id, **values)
    connection.execute(row.on_conflict_do_update(index_elements=[pictures.c.job_id], set_=values))


def latest(connection: sa.Connection, job_id: str) -> tuple[bytes, datetime] | None:
    """The picture, a JPEG, and when it was taken."""
    row = connection.execute(
        sa.select(pictures.c.jpeg, pictures.c.at).where(pictures.c.job_id == job_id)
    ).first()
    return None if row is None else (row.jpeg, row.at)


def forget(connection: sa.Connection, job_id: str) -> None:
    """Its job has ended: its files say more."""
    connection.execute(sa.delete(pictures).where(pictures.c.job_id == job_id))
