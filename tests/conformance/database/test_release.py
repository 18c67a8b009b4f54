"""What a dead executor held is taken from it: each job once, by one sweeper."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from databases import NOON, a_job, add_batch, start, stored
from renderkiln.database import moves, schema
from renderkiln.database.engine import Database
from renderkiln.database.jobs import NewJob
from renderkiln.database.moves import Released
from renderkiln.domain.errors import Superseded

LATER = NOON + timedelta(minutes=5)


def _release(database: Database, dead: str = "dead") -> list[Released]:
    with database.write() as connection:
        return moves.release_from_dead(connection, dead, LATER)


def test_running_jobs_wait_again_at_the_same_attempt_with_one_crash_more(database: Database) -> None:
    add_batch(database, a_job("b-1", queue="audio", priority=7), a_job("b-2", priority=5), a_job("b-3"))
    for id in ("b-1", "b-2"):
        start(database, id, owner="dead")
    start(database, "b-3", owner="alive")
    released = _release(database)
    assert [each.job.id for each in released] == ["b-2", "b-1"]  # the most urgent first
    assert (released[1].job.queue, released[1].job.priority) == ("audio", 7)
    assert [(each.attempt, each.direct, each.crashes) for each in released] == [(1, False, 1)] * 2
    found = stored(database, "b-1")
    assert (found.report.state, found.report.attempt, found.owner) == ("pending", 1, None)
    assert (found.crashes, found.not_before) == (1, LATER)
    assert stored(database, "b-3").owner == "alive"
    assert _release(database) == []


def test_deaths_are_counted(database: Database) -> None:
    add_batch(database, a_job())
    for crashes in (1, 2, 3):
        start(database, owner="dead")
        assert [each.crashes for each in _release(database)] == [crashes]


def test_a_direct_job_that_waits_for_its_retry_is_free_for_all(database: Database) -> None:
    add_batch(database, NewJob(a_job(), 1, Path("/films"), not_before=NOON, direct=True, owner="dead"))
    released = _release(database)
    assert [(each.job.id, each.attempt, each.direct, each.crashes) for each in released] == [
        ("b-1", 1, True, 0)
    ]
    assert (stored(database).owner, stored(database).not_before) == (None, NOON)
    start(database, owner="w2")


def test_the_dead_cannot_finish_what_was_taken_from_it(database: Database) -> None:
    add_batch(database, a_job())
    start(database, owner="dead")
    _release(database)
    with pytest.raises(Superseded), database.write() as connection:
        moves.complete_if_held(connection, "b-1", 1, "dead", result={}, artifacts=[], now=LATER)
    start(database, owner="w2")
    with pytest.raises(Superseded), database.write() as connection:
        moves.complete_if_held(connection, "b-1", 1, "dead", result={}, artifacts=[], now=LATER)
    assert stored(database).owner == "w2"


def test_of_two_sweepers_at_once_each_job_goes_to_one(database: Database) -> None:
    add_batch(database, *(a_job(f"b-{number}") for number in range(12)))
    ids = {f"b-{number}" for number in range(12)}
    gate = threading.Barrier(2)

    def sweep() -> list[str]:
        gate.wait()
        return [each.job.id for each in _release(database)]

    with ThreadPoolExecutor(2) as pool:
        for _ in range(30):
            _hold_all(database)
            first, second = [sweeper.result() for sweeper in [pool.submit(sweep), pool.submit(sweep)]]
            assert sorted(first + second) == sorted(ids)


def test_a_sweeper_that_waited_for_another_takes_nothing_twice(database: Database) -> None:
    add_batch(database, *(a_job(f"b-{number}") for number in range(3)))
    _hold_all(database)
    with ThreadPoolExecutor(1) as pool:
        with database.write() as connection:
            assert len(moves.release_from_dead(connection, "dead", LATER)) == 3
            second = pool.submit(_release, database)  # waits for our transaction to end
            with pytest.raises(TimeoutError):
                second.result(timeout=0.3)
        assert second.result() == []


def test_a_finish_and_a_takeover_at_once_have_one_winner(database: Database) -> None:
    add_batch(database, a_job())
    gate = threading.Barrier(2)

    def finish() -> bool:
        gate.wait()
        try:
            with database.write() as connection:
                moves.complete_if_held(connection, "b-1", 1, "dead", result={}, artifacts=[], now=LATER)
        except Superseded:
            return False
        return True

    def sweep() -> bool:
        gate.wait()
        return bool(_release(database))

    with ThreadPoolExecutor(2) as pool:
        for _ in range(30):
            _hold_all(database)
            finished, taken = pool.submit(finish), pool.submit(sweep)
            assert finished.result() != taken.result()
            assert stored(database).report.state == ("completed" if finished.result() else "pending")


def _hold_all(database: Database) -> None:
    with database.write() as connection:
        connection.execute(sa.update(schema.jobs).values(state="processing", owner="dead", completed_at=None))
