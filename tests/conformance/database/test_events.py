"""Events as rows: in order, for whoever reads on from where it was."""

from __future__ import annotations

from datetime import timedelta

from databases import NOON
from renderkiln.database import events
from renderkiln.database.engine import Database
from renderkiln.domain.event import Event

PROGRESS = Event("job.progress", "b-1", NOON, 12.5, "render", "nul \x00", {"fps": 24.5, "\udcff": None})
OTHER = Event("job.completed", "b-2", NOON + timedelta(hours=1), 100.0)
LOST = Event("worker.lost", None, NOON + timedelta(hours=2), 0.0)


def _append_all(database: Database) -> None:
    with database.write() as connection:
        events.append(connection, PROGRESS, batch_id="b", worker="w1")
        events.append(connection, OTHER, batch_id="b")
        events.append(connection, LOST, worker="w2")


def test_events_come_back_in_order_from_where_one_was(database: Database) -> None:
    _append_all(database)
    with database.read() as connection:
        first, second, third = events.after(connection, 0)
        assert [first.event, second.event, third.event] == [PROGRESS, OTHER, LOST]
        assert (first.batch_id, first.worker, third.batch_id) == ("b", "w1", None)
        assert events.after(connection, first.seq) == [second, third]
        assert events.after(connection, first.seq, limit=1) == [second]
        assert events.after(connection, third.seq) == []


def test_events_of_one_job_or_one_batch(database: Database) -> None:
    _append_all(database)
    with database.read() as connection:
        assert [each.event for each in events.after(connection, 0, job_id="b-2")] == [OTHER]
        assert [each.event for each in events.after(connection, 0, batch_id="b")] == [PROGRESS, OTHER]


def test_an_event_goes_with_the_transaction_it_tells_of(database: Database) -> None:
    with database.engine.connect() as connection, connection.begin() as transaction:
        events.append(connection, OTHER)
        transaction.rollback()
    with database.read() as connection:
        assert events.after(connection, 0) == []
