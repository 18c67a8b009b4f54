"""Loose files: stored ones that no row names, because their upload has not ended or they are to be removed.

A file stands here before it is stored, and again before it is removed. So nobody has to look through a bucket
for what a killed process left in it, nor guess whose it is.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from renderkiln.database.schema import loose_files


def announce(connection: sa.Connection, key: str, now: datetime) -> None:
    """Note that a file will be stored under this new key."""
    connection.execute(sa.insert(loose_files).values(storage_key=key, since=now, doomed=False))


def name_if_kept(connection: sa.Connection, key: str) -> bool:
    """Note that a row names it now; False, and nothing is changed, where it was given up meanwhile."""
    kept = (loose_files.c.storage_key == key, sa.not_(loose_files.c.doomed))
    return connection.execute(sa.delete(loose_files).where(*kept)).rowcount == 1


def doom(connection: sa.Connection, key: str, now: datetime) -> None:
    """Note that it is to be removed; no row names it any more."""
    forget(connection, key)
    connection.execute(sa.insert(loose_files).values(storage_key=key, since=now, doomed=True))


def doom_old(connection: sa.Connection, moment: datetime) -> None:
    """Give up what was announced before `moment`: who announced it is dead, or must begin anew."""
    old = (loose_files.c.since < moment, sa.not_(loose_files.c.doomed))
    connection.execute(sa.update(loose_files).where(*old).values(doomed=True))


def doomed(connection: sa.Connection, moment: datetime, limit: int) -> list[str]:
    """The keys of files that are to be removed since before `moment`, the oldest first."""
    given_up = (loose_files.c.since < moment, loose_files.c.doomed)
    found = sa.select(loose_files.c.storage_key).where(*given_up).order_by(loose_files.c.since)
    return list(connection.scalars(found.limit(limit)))


def forget(connection: sa.Connection, key: str) -> None:
    """Note that it is removed."""
    connection.execute(sa.delete(loose_files).where(loose_files.c.storage_key == key))
