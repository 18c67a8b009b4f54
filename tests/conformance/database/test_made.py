"""Jobs whose files are made and wait to be uploaded, as rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from databases import NOON, a_job, add_batch, rows, start, stored
from renderkiln.database import artifacts, attempts, backlog, jobs, moves, schema, workers
from renderkiln.database.engine import Database
from renderkiln.database.workers import NewWorker
from renderkiln.domain.artifact import Artifact, Kept
from renderkiln.domain.errors import Superseded
from renderkiln.domain.outcomes import Done
from renderkiln.domain.report import JobError

LATER = NOON + timedelta(minutes=5)
FILM = Artifact("video", Path("/films/song.mp4"), 2**40, "ab" * 32, "video/mp4", {"index": 1})
POSTER = Artifact("thumbnail", Path("/films/song.jpg"), 900, "cd" * 32, "image/jpeg")
KEPT = Kept("s3-fallback", "public", "videos/2026/01/27/日本.mp4")
MADE = Done({"duration": 2.5}, (FILM, POSTER))


def note(connection: sa.Connection, id: str = "b-1", attempt: int = 1, owner: str = "w1") -> None:
    made: dict[str, Any] = {"result": MADE.summary, "artifacts": MADE.artifacts, "now": NOON}
    place: dict[str, Any] = {"queue": "storage-upload", "host": "kiln.example", "rendered_in": "video"}
    moves.note_made_if_held(connection, id, attempt, owner, **made, **place, max_attempts=5)


def hand_over(connection: sa.Connection, id: str = "b-1", attempt: int = 1, owner: str = "w1") -> None:
    note(connection, id, attempt, owner)
    moves.hand_over_if_held(connection, id, attempt, owner, progress=90.0, message="waits", now=LATER)


@pytest.fixture
def waiting(database: Database) -> Database:
    """With a job that waits to be uploaded."""
    add_batch(database, a_job())
    start(database)
    with database.write() as connection:
        hand_over(connection)
    return database


def made(database: Database) -> Done | None:
    with database.read() as connection:
        return jobs.made(connection, "b-1")


def test_what_is_made_waits_in_its_queue_and_shows_nothing_yet(waiting: Database) -> None:
    found = stored(waiting)
    job, report = found.report.job, found.report
    assert (job.queue, job.host, found.rendered_in, found.made) == (
        "storage-upload",
        "kiln.example",
        "video",
        True,
    )
    assert (report.state, report.attempt, report.progress, job.max_attempts) == ("pending", 1, 90.0, 5)
    assert (report.result, report.artifacts, found.not_before, found.owner) == (None, (), LATER, None)
    assert made(waiting) == MADE
    with waiting.read() as connection:
        assert jobs.waiting_hosts(connection) == {"kiln.example"}
        assert backlog.counts(connection) == {"storage-upload": {"pending": 1}}


def test_each_file_that_is_stored_is_recorded_and_the_end_has_all_in_the_jobs_own_queue(
    waiting: Database,
) -> None:
    start(waiting)
    with waiting.write() as connection:
        artifacts.note_kept(connection, "b-1", 1, KEPT)
    kept = (replace(FILM, kept=KEPT), POSTER)
    assert made(waiting) == Done(MADE.summary, kept)
    with waiting.write() as connection:
        moves.complete_if_held(
            connection, "b-1", 1, "w1", result=MADE.summary, artifacts=kept, now=LATER, queue="video"
        )
    found = stored(waiting)
    assert (found.report.artifacts, found.report.result) == (kept, MADE.summary)
    assert (found.report.job.queue, found.report.job.host, found.rendered_in, found.made) == (
        "video",
        None,
        None,
        False,
    )
    assert made(waiting) is None


def test_who_does_not_hold_it_changes_nothing(database: Database) -> None:
    add_batch(database, a_job())
    start(database)
    for id, attempt, owner in [("b-1", 2, "w1"), ("b-1", 1, "w2"), ("gone", 1, "w1")]:
        for verb in (note, hand_over, moves.forget_made_if_held):
            with pytest.raises(Superseded), database.write() as connection:
                verb(connection, id, attempt, owner)
    assert (stored(database).made, rows(database, schema.artifacts)) == (False, [])


def test_lost_files_bring_it_back_to_its_own_queue(waiting: Database) -> None:
    start(waiting)
    with waiting.write() as connection:
        job = moves.forget_made_if_held(connection, "b-1", 1, "w1")
    assert (job.queue, job.host) == ("video", None)
    assert stored(waiting).report.job == job
    assert (made(waiting), rows(waiting, schema.artifacts)) == (None, [])
    assert stored(waiting).owner == "w1"


def test_a_failed_upload_can_be_begun_from_scratch(waiting: Database) -> None:
    with pytest.raises(Superseded), waiting.write() as connection:
        moves.forget_made_if_ended(connection, "b-1")
    start(waiting)
    with waiting.write() as connection:
        moves.fail_if_held(connection, "b-1", 1, "w1", error=JobError("STORAGE", "no"), now=LATER)
    assert (stored(waiting).made, stored(waiting).report.result) == (True, None)
    with waiting.write() as connection:
        assert moves.forget_made_if_ended(connection, "b-1").queue == "video"
    assert not stored(waiting).made


def test_what_waits_on_a_lost_machine_keeps_its_files_in_mind(waiting: Database) -> None:
    with waiting.write() as connection:
        assert moves.release_from_host(connection, "another", 10) == []
        (moved,) = moves.release_from_host(connection, "kiln.example", 10)
        assert moves.release_from_host(connection, "kiln.example", 10) == []
    assert (moved.report.job.queue, moved.report.job.host, moved.made) == ("video", None, True)
    assert made(waiting) == MADE


def test_a_machine_may_get_another_name(waiting: Database) -> None:
    with waiting.write() as connection:
        (moved,) = moves.rename_host(connection, "kiln.example", "kiln-1a2b", 10)
        assert jobs.waiting_hosts(connection) == {"kiln-1a2b"}
    assert (moved.report.job.queue, moved.report.job.host) == ("storage-upload", "kiln-1a2b")


def test_what_runs_on_a_lost_machine_is_not_taken_from_it(waiting: Database) -> None:
    start(waiting)
    with waiting.write() as connection:
        assert moves.release_from_host(connection, "kiln.example", 10) == []


def test_an_attempt_goes_on_with_what_it_has_used(database: Database) -> None:
    add_batch(database, a_job())
    with database.write() as connection:
        assert attempts.go_on(connection, "b-1", 1, "w1", "kiln-1") is None
        attempts.begin(connection, "b-1", 1, "w1", "kiln-1", NOON)
        attempts.end(connection, "b-1", 1, outcome="handed_over", seconds=2.0, cpu_seconds=3.0, now=LATER)
        row = attempts.go_on(connection, "b-1", 1, "w2", "kiln-2")
        assert row is not None
        assert (row.owner, row.started_at, row.ended_at, row.outcome) == ("w2", NOON, None, None)
        assert (row.seconds, row.cpu_seconds) == (2.0, 3.0)


def test_who_takes_jobs_of_a_queue_on_a_machine(database: Database) -> None:
    worker = NewWorker("w1", "kiln-1", "here", 1, ("video", "storage-upload"), 2, NOON)
    with database.write() as connection:
        workers.register(connection, worker)
        workers.register(connection, replace(worker, id="w2", host="there", direct=True))
        workers.register(connection, replace(worker, id="w3", queues=("audio",), machine="studio-1"))
        assert workers.drawn_on(connection, "here") == {"video", "storage-upload"}
        assert workers.drawn_on(connection, "there") == set()
        assert workers.drawn_on(connection, "studio-1") == {"audio"}
        workers.drain(connection, "w1")
        assert workers.drawn_on(connection, "here") == set()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # whose planner has no statistics
def test_the_machines_are_found_by_their_index(waiting: Database) -> None:
    asked: list[tuple[str, Any]] = []
    with waiting.read() as connection:
        sa.event.listen(
            connection, "before_cursor_execute", lambda _c, _cursor, *said: asked.append((said[0], said[1]))
        )
        jobs.waiting_hosts(connection)
        (statement, values) = asked[-1]
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    assert "kiln_jobs_state_host_idx" in str(plan)
