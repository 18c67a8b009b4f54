"""Writes that wait for a database that is away for a moment."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import InterfaceError, OperationalError

from renderkiln.database.engine import Database
from renderkiln.domain.clock import Clock

T = TypeVar("T")

_log = logging.getLogger(__name__)
_FIRST, _LONGEST = 0.2, 5.0  # seconds between two tries
PATIENCE = 900.0  # seconds: a server that is being upgraded comes back within that time


def persist(
    database: Database, clock: Clock, write: Callable[[sa.Connection], T], *, patience: float = PATIENCE
) -> T:
    """`write` in one transaction, tried again while the database cannot be reached or is locked.

    Raises what `write` raises, and the database's own error once `patience` seconds have passed.
    """
    begun, wait = clock.monotonic(), _FIRST
    while True:
        try:
            with database.write() as connection:
                return write(connection)
        except (OperationalError, InterfaceError) as error:
            if clock.monotonic() - begun + wait > patience:
                raise
            _log.warning("the database cannot be written to, trying again: %s", error.orig)
            clock.sleep(wait)
            wait = min(_LONGEST, wait * 2)
