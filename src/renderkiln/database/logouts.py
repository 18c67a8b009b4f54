"""Sessions of browsers that were ended before their time. Those that are over by themselves need no row."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from renderkiln.database.insert import insert_into
from renderkiln.database.schema import logouts


def note(connection: sa.Connection, session: str, until: datetime, now: datetime) -> None:
    """From now on, a session that would last `until` then opens nothing."""
    row = insert_into(connection.dialect.name, logouts).values(session=session, until=until)
    connection.execute(row.on_conflict_do_nothing())
    connection.execute(sa.delete(logouts).where(logouts.c.until < now))


def is_noted(connection: sa.Connection, session: str) -> bool:
    """Whether it was ended."""
    return connection.scalar(sa.select(sa.exists().where(logouts.c.session == session))) or False
