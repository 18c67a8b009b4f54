"""A process that takes a job and reports its progress, each time reading before it writes."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from renderkiln.database import events, jobs, moves
from renderkiln.database.engine import Database
from renderkiln.domain.event import Event

NOON = datetime(2026, 1, 27, 12, tzinfo=UTC)


def main(url: str, id: str, turns: int) -> None:
    database = Database(url)
    with database.write() as connection:
        moves.start_if_waiting(connection, id, 1, id, "worker", NOON)
    for turn in range(1, turns + 1):
        with database.write() as connection:
            assert jobs.find(connection, id) is not None
            moves.note_progress_if_held(connection, id, 1, id, stage="s", progress=turn, message="")
            events.append(connection, Event("job.progress", id, NOON, turn))
    database.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
