"""Types of events that some worker has a handler for: whoever writes an event need not have it installed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from renderkiln.database.insert import insert_into
from renderkiln.database.schema import handlers

_KNOWN = sa.select(handlers.c.type).where(handlers.c.type == sa.bindparam("known"))


def note(connection: sa.Connection, types: Collection[str], now: datetime) -> None:
    """Say that there are handlers for these."""
    if not types:
        return
    rows = [{"type": each, "seen_at": now} for each in sorted(types)]  # in one order: nobody waits in a ring
    row = insert_into(connection.dialect.name, handlers).values(rows)
    connection.execute(row.on_conflict_do_update(index_elements=[handlers.c.type], set_={"seen_at": now}))


def is_known(connection: sa.Connection, type: str) -> bool:
    """Whether a worker has said so, lately."""
    return connection.scalar(_KNOWN, {"known": type}) is not None


def old(connection: sa.Connection, moment: datetime) -> list[str]:
    """Those that no worker has had since `moment`."""
    return list(connection.scalars(sa.select(handlers.c.type).where(handlers.c.seen_at < moment)))


def forget(connection: sa.Connection, types: Collection[str], moment: datetime) -> int:
    """Forget these, unless a worker has them by now; how many there were."""
    gone = sa.delete(handlers).where(handlers.c.type.in_(types), handlers.c.seen_at < moment)
    return connection.execute(gone).rowcount
