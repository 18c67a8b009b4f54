"""Uploads by workers that have other queues, on a machine where none has that of the uploads.

There, each uploads what it makes in the render's own place. What is cut off in that waits on its machine, as
every upload does, for a worker there: for one that renders, if it is the only kind.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from renderkiln.database import workers
from renderkiln.database.engine import Database
from renderkiln.domain.queue import EVENTS, UPLOADS
from renderkiln.engine.tickets import Places

AT_ONCE = 1  # uploads


@dataclass(frozen=True)
class StandIn:
    """Lets a worker on `host` draw uploads while nobody else there does."""

    database: Database
    host: str
    places: Places

    def look(self) -> None:
        """To be called every few seconds."""
        with self.database.read() as connection:
            others = UPLOADS in workers.drawn_on(connection, self.host)
        if others:
            self.places.close(UPLOADS)
        else:
            self.places.open(UPLOADS)


def stands_in(queues: Collection[str]) -> bool:
    """Whether a worker with these queues does so: it makes files, and uploads are not among them."""
    return UPLOADS not in queues and bool(set(queues) - {EVENTS})


def has_uploaders(connection: sa.Connection, host: str) -> bool:
    """Whether what waits on this machine will be uploaded by somebody."""
    return bool(workers.drawn_on(connection, host) - {EVENTS})
