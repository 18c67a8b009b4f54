"""Writes that wait for a database that is away for a moment."""

from __future__ import annotations

import errno
import logging
import math
import os
import sqlite3
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from renderkiln.database.engine import Database
from renderkiln.database.trouble import first_line
from renderkiln.domain.clock import Clock
from renderkiln.domain.errors import RenderkilnError

T = TypeVar("T")

_log = logging.getLogger(__name__)
_FIRST, _LONGEST = 0.2, 5.0  # seconds between two tries
_LASTING = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
PATIENCE = math.inf  # seconds: a job is held until it is written down what became of it
PEOPLE = 10.0  # seconds that a person waits for a database that is away or locked


def persist(
    database: Database,
    clock: Clock,
    write: Callable[[sa.Connection], T],
    *,
    done: Callable[[sa.Connection, T], bool] | None = None,
    patience: float = PATIENCE,
    wait_for_room: bool = False,
) -> T:
    """`write` in one transaction, tried again while the database cannot be reached or is locked.

    A connection that is cut during a COMMIT leaves open what became of it. Then `done` is asked, with what
    `write` has returned: before the write is repeated, and where that is refused, because a server may take
    its time for a COMMIT that nobody waits for any more. Without `done`, a repeated write must do no harm.

    Raises what `write` raises, and the database's own error once `patience` seconds have passed. A full disk
    is an OSError (ENOSPC) at once, unless the write is to wait for room.
    """
    begun, wait = clock.monotonic(), _FIRST
    unanswered: list[T] = []
    refused: RenderkilnError | None = None
    while True:
        try:
            if unanswered and done is not None:
                with database.read() as connection:
                    if done(connection, unanswered[-1]):
                        return unanswered[-1]
                if refused is not None:
                    raise refused
            with database.write() as connection:
                result = write(connection)
                unanswered.append(result)
            return result
        except RenderkilnError as error:
            if refused is not None or not unanswered or done is None:
                raise
            refused = error
        except (OperationalError, InterfaceError) as error:
            if is_full(error) and not wait_for_room:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), database.shown) from error
            if not _passes(error) or clock.monotonic() - begun + wait > patience:
                raise
            _log.warning("the database cannot be written to, trying again: %s", first_line(error))
            clock.sleep(wait)
            wait = min(_LONGEST, wait * 2)


def _passes(error: DBAPIError) -> bool:
    """Whether waiting may help: sqlite3 calls a missing column or a damaged file "operational", too."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code is None or code & 0xFF not in _LASTING


def is_full(error: DBAPIError) -> bool:
    """Whether the disk of the database has no room left."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code == sqlite3.SQLITE_FULL or getattr(error.orig, "sqlstate", None) == "53100"
