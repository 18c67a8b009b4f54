"""Executors and queues as rows."""

from __future__ import annotations

from datetime import timedelta

from databases import NOON
from renderkiln.database import queues, workers
from renderkiln.database.engine import Database
from renderkiln.database.queues import QueueRow
from renderkiln.database.workers import NewWorker, StoredWorker

LATER = NOON + timedelta(minutes=5)
WORKER = NewWorker("w1", "kiln-1", "host", 4711, ("video", "audio"), 2, NOON)


def test_an_executor_lives_from_beat_to_beat(database: Database) -> None:
    with database.write() as connection:
        workers.register(connection, WORKER)
        assert workers.beats(connection) == {"w1": 0}
        assert workers.beat(connection, "w1", LATER)
        assert workers.beat(connection, "w1", LATER)
        assert workers.beats(connection) == {"w1": 2}
        assert workers.everyone(connection) == [StoredWorker(**vars(WORKER), beat=2, seen_at=LATER)]


def test_an_executor_that_was_struck_off_hears_of_it_and_comes_back(database: Database) -> None:
    with database.write() as connection:
        workers.register(connection, WORKER)
        assert workers.remove(connection, "w1")
        assert not workers.remove(connection, "w1")
        assert not workers.beat(connection, "w1", LATER)
        assert not workers.drain(connection, "w1")
        workers.register(connection, WORKER)
        workers.register(connection, WORKER)
        assert [each.id for each in workers.everyone(connection)] == ["w1"]


def test_an_executor_that_takes_no_more_jobs_says_so(database: Database) -> None:
    with database.write() as connection:
        workers.register(connection, WORKER)
        assert workers.drain(connection, "w1")
        assert [each.draining for each in workers.everyone(connection)] == [True]


def test_a_queue_remembers_what_people_changed(database: Database) -> None:
    with database.write() as connection:
        assert queues.find(connection, "video") == QueueRow("video")
        assert queues.everyone(connection) == {}
        queues.put_paused(connection, "video", paused=True)
        queues.put_limits(connection, "video", worker_limit=3, global_limit=8)
        assert queues.find(connection, "video") == QueueRow("video", 3, 8, paused=True)
        queues.put_paused(connection, "video", paused=False)
        queues.put_limits(connection, "video", worker_limit=None, global_limit=None)
        assert queues.everyone(connection) == {"video": QueueRow("video")}
