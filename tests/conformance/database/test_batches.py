"""Batches: stored once, and completed once per round."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from databases import NOON, a_job, add_batch, start
from renderkiln.database import batches, moves, schema
from renderkiln.database.batches import NewBatch, StoredBatch
from renderkiln.database.cursor import Cursor
from renderkiln.database.engine import Database
from renderkiln.domain.batch import BatchCounts
from renderkiln.domain.errors import UserError
from renderkiln.domain.report import JobError
from renderkiln.engine.batchreport import BatchReport

LATER = NOON + timedelta(minutes=5)


def _complete(database: Database, id: str = "b") -> int | None:
    with database.write() as connection:
        return batches.complete_if_all_ended(connection, id, LATER)


def test_a_batch_comes_back_as_it_was_stored(database: Database) -> None:
    new = NewBatch("b", NOON, "A \x00 label", {"order": [1, "ä\udcff"]}, "key", "ab" * 32)
    with database.write() as connection:
        batches.insert(connection, new)
    with database.read() as connection:
        found = batches.find(connection, "b")
        assert found == StoredBatch(**vars(new), rounds=0, completed_at=None)
        assert batches.by_idempotency_key(connection, "key") == found
        assert batches.find(connection, "c") is None
        assert batches.by_idempotency_key(connection, "other") is None


def test_an_id_or_a_key_that_is_taken_is_a_users_error(database: Database) -> None:
    with database.write() as connection:
        batches.insert(connection, NewBatch("b", NOON, idempotency_key="key"))
        batches.insert(connection, NewBatch("without", NOON))
        batches.insert(connection, NewBatch("also without", NOON))
    with pytest.raises(UserError, match="there is a batch b already"), database.write() as connection:
        batches.insert(connection, NewBatch("b", NOON))
    with pytest.raises(UserError, match="'key' was used by another request"), database.write() as connection:
        batches.insert(connection, NewBatch("c", NOON, idempotency_key="key"))


def test_of_two_requests_with_one_key_at_once_one_is_stored(database: Database) -> None:
    gate = threading.Barrier(2)

    def submit(number: int, key: str) -> bool:
        gate.wait()
        try:
            with database.write() as connection:
                batches.insert(connection, NewBatch(f"{key}-{number}", NOON, idempotency_key=key))
        except UserError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        for turn in range(15):
            stored = list(pool.map(submit, range(2), [f"key{turn}"] * 2))
            assert sorted(stored) == [False, True]


def test_counts_are_of_this_batch(database: Database) -> None:
    add_batch(database, *(a_job(f"b-{number}") for number in range(4)))
    add_batch(database, a_job("c-1", batch_id="c"), id="c")
    start(database, "b-0")
    start(database, "b-1")
    with database.write() as connection:
        moves.fail_if_held(connection, "b-0", 1, "w1", error=JobError("A", "a"), now=LATER)
    with database.read() as connection:
        assert batches.counts(connection, "b") == BatchCounts(pending=2, processing=1, failed=1)
        assert batches.counts(connection, "nobody") == BatchCounts()
        told = batches.standings(connection, ["c", "b", "nobody"])
    assert told["b"] == (BatchCounts(pending=2, processing=1, failed=1), 25.0, NOON)
    assert told["c"] == (BatchCounts(pending=1), 0.0, None)
    assert told["nobody"] == (BatchCounts(), 0.0, None)


def test_many_batches_are_told_of_by_as_few_queries_as_one(database: Database) -> None:
    for number in range(4):
        add_batch(database, a_job(f"b{number}-1", batch_id=f"b{number}"), id=f"b{number}")
    asked: list[str] = []

    @sa.event.listens_for(database.engine, "before_cursor_execute")
    def _note(*given: Any) -> None:
        asked.append(given[2])

    def queries(limit: int) -> int:
        asked.clear()
        with database.read() as connection:
            assert len(BatchReport.of_all(connection, batches.page(connection, limit=limit), NOON)) == limit
        return len(asked)

    assert queries(4) == queries(1)


def test_a_batch_is_complete_once_all_jobs_have_ended_and_only_once(database: Database) -> None:
    add_batch(database, a_job("b-1"), a_job("b-2"))
    with database.write() as connection:
        moves.withdraw_if_waiting(connection, "b-1", LATER)
    assert _complete(database) is None  # b-2 waits
    start(database, "b-2")
    assert _complete(database) is None  # b-2 runs
    with database.write() as connection:
        moves.fail_if_held(connection, "b-2", 1, "w1", error=JobError("A", "a"), now=LATER)
    assert _complete(database) == 1
    assert _complete(database) is None
    assert _complete(database, "nobody") is None
    with database.read() as connection:
        found = batches.find(connection, "b")
    assert found is not None
    assert (found.rounds, found.completed_at) == (1, LATER)


def test_a_reopened_batch_has_another_round(database: Database) -> None:
    add_batch(database, a_job())
    start(database)
    with database.write() as connection:
        moves.fail_if_held(connection, "b-1", 1, "w1", error=JobError("A", "a"), now=LATER)
        assert batches.complete_if_all_ended(connection, "b", LATER) == 1
    with database.write() as connection:
        moves.reopen_if_failed(connection, "b-1", attempts_more=1, now=LATER)
        batches.reopen(connection, "b")
    assert _complete(database) is None
    with database.write() as connection:
        moves.withdraw_if_waiting(connection, "b-1", LATER)
        assert batches.complete_if_all_ended(connection, "b", LATER) == 2


@pytest.mark.parametrize("lock_first", [True, False])
def test_when_the_last_two_jobs_end_at_once_one_completes_the_batch(
    database: Database, lock_first: bool
) -> None:
    add_batch(database, a_job("b-1"), a_job("b-2"))
    gate = threading.Barrier(2)

    def finish(id: str) -> int | None:
        gate.wait()
        with database.write() as connection:
            if lock_first:
                batches.lock(connection, "b")
            moves.complete_if_held(connection, id, 1, "w1", result={}, artifacts=[], now=LATER)
            return batches.complete_if_all_ended(connection, "b", LATER)

    with ThreadPoolExecutor(2) as pool:
        for turn in range(1, 31):
            _run_again(database)
            told = list(pool.map(finish, ["b-1", "b-2"]))
            assert [number for number in told if number is not None] == [turn]


def test_pages_go_through_all_batches_once_the_newest_first(database: Database) -> None:
    for number in range(7):
        add_batch(database, id=f"b{number}")  # all at the same moment
    seen: list[str] = []
    before: Cursor | None = None
    while True:
        with database.read() as connection:
            found = batches.page(connection, before=before, limit=3)
        if not found:
            break
        seen += [each.id for each in found]
        before = Cursor(found[-1].created_at, found[-1].id)
    assert seen == [f"b{number}" for number in reversed(range(7))]


def _run_again(database: Database) -> None:
    with database.write() as connection:
        connection.execute(sa.update(schema.jobs).values(state="processing", owner="w1", completed_at=None))
        batches.reopen(connection, "b")
