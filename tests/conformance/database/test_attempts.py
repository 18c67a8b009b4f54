"""Attempts as rows."""

from __future__ import annotations

from datetime import timedelta

from databases import NOON, a_job, add_batch
from renderkiln.database import attempts
from renderkiln.database.attempts import AttemptRow
from renderkiln.database.engine import Database
from renderkiln.domain.work import Work

LATER = NOON + timedelta(minutes=5)


def _of_job(database: Database) -> list[AttemptRow]:
    with database.read() as connection:
        return attempts.of_job(connection, "b-1")


def test_an_attempt_is_recorded_with_what_it_used(database: Database) -> None:
    add_batch(database, a_job())
    with database.write() as connection:
        attempts.begin(connection, "b-1", 1, "w1", "kiln-1", NOON)
        attempts.note_process(connection, "b-1", 1, 4711)
    assert [(row.process_id, row.outcome, row.ended_at) for row in _of_job(database)] == [(4711, None, None)]
    with database.write() as connection:
        attempts.end(
            connection,
            "b-1",
            1,
            outcome="retrying",
            code="DISK_FULL",
            message="no space",
            seconds=2.5,
            cpu_seconds=9.0,
            peak_bytes=2**40,
            bytes_in=2**41,
            bytes_out=0,
            now=LATER,
        )
    (row,) = _of_job(database)
    assert (row.outcome, row.code, row.message, row.ended_at) == ("retrying", "DISK_FULL", "no space", LATER)
    assert (row.seconds, row.cpu_seconds, row.peak_bytes, row.bytes_in, row.bytes_out) == (
        2.5,
        9.0,
        2**40,
        2**41,
        0,
    )
    assert row.process_id is None


def test_a_process_that_ended_is_forgotten_and_a_late_one_is_not_noted(database: Database) -> None:
    add_batch(database, a_job())
    with database.write() as connection:
        attempts.begin(connection, "b-1", 1, "w1", "kiln-1", NOON)
        attempts.note_process(connection, "b-1", 1, 4711)
        attempts.note_process(connection, "b-1", 1, None)
    assert _of_job(database)[0].process_id is None
    with database.write() as connection:
        attempts.end(connection, "b-1", 1, outcome="cancelled", now=LATER)
        attempts.note_process(connection, "b-1", 1, 4712)
    assert _of_job(database)[0].process_id is None


def test_an_attempt_that_was_taken_over_begins_again(database: Database) -> None:
    add_batch(database, a_job())
    with database.write() as connection:
        attempts.begin(connection, "b-1", 1, "w1", "kiln-1", NOON)
        attempts.note_process(connection, "b-1", 1, 4711)
        attempts.mark_lost(connection, [("b-1", 1), ("b-1", 2)], LATER)
    (row,) = _of_job(database)
    assert (row.outcome, row.ended_at, row.process_id) == ("lost", LATER, None)
    with database.write() as connection:
        attempts.begin(connection, "b-1", 1, "w2", "kiln-2", LATER)
    (row,) = _of_job(database)
    assert (row.owner, row.worker, row.started_at) == ("w2", "kiln-2", LATER)
    assert (row.outcome, row.ended_at, row.message) == (None, None, "")


def test_an_attempt_that_ended_is_not_lost_afterwards(database: Database) -> None:
    add_batch(database, a_job())
    with database.write() as connection:
        attempts.begin(connection, "b-1", 1, "w1", "kiln-1", NOON)
        attempts.end(connection, "b-1", 1, outcome="completed", now=NOON)
        attempts.mark_lost(connection, [("b-1", 1)], LATER)
    assert [(row.outcome, row.ended_at) for row in _of_job(database)] == [("completed", NOON)]


def test_what_was_measured_is_found_by_its_kind_the_newest_first(database: Database) -> None:
    add_batch(database, a_job())
    with database.write() as connection:
        for number in range(1, 5):
            attempts.begin(connection, "b-1", number, "w1", "kiln-1", NOON)
            attempts.end(
                connection,
                "b-1",
                number,
                outcome="completed",
                seconds=float(number),
                cpu_seconds=2.0,
                bytes_out=3,
                work=Work("flame", 10.0, "frame") if number != 2 else None,
                now=NOON + timedelta(minutes=number),
            )
    with database.read() as connection:
        found = attempts.samples(connection, "flame", 2)
        assert [each.seconds for each in found] == [4.0, 3.0]
        assert (found[0].units, found[0].cpu_seconds, found[0].bytes_out) == (10.0, 2.0, 3)
        assert attempts.samples(connection, "sparks", 2) == []


def test_attempts_come_in_order(database: Database) -> None:
    add_batch(database, a_job())
    with database.write() as connection:
        for number in (10, 2, 1):
            attempts.begin(connection, "b-1", number, "w1", "kiln-1", NOON)
    assert [row.number for row in _of_job(database)] == [1, 2, 10]
