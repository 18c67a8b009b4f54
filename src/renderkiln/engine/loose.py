"""Removes stored files that no row names: what a process left that was killed between the two."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from renderkiln.database import loose
from renderkiln.database.engine import Database
from renderkiln.domain.clock import Clock
from renderkiln.storage.contract import Storage
from renderkiln.storage.errors import StorageError

_log = logging.getLogger(__name__)

_AT_ONCE = 1000  # files of one sweep


@dataclass(frozen=True)
class LooseFiles:
    """Those of one storage, which is opened only where there are any."""

    database: Database
    clock: Clock
    storage: Callable[[], Storage]

    def sweep(self, age: float) -> int:
        """Remove those older than so many seconds; how many were. An upload that is still at one ends."""
        before = self.clock.now() - timedelta(seconds=age)
        with self.database.write() as connection:
            loose.doom_old(connection, before)
            keys = loose.doomed(connection, before, _AT_ONCE)
        removed = 0
        for key in keys:
            try:
                self.storage().delete(key)
            except StorageError as error:
                _log.warning("%d stored files that nobody needs stay for now: %s", len(keys) - removed, error)
                break
            with self.database.write() as connection:
                loose.forget(connection, key)
            removed += 1
        return removed
