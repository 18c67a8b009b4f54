"""Jobs as rows: what comes out is what went in, and nothing changes but by who may change it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from databases import NOON, a_job, add_batch, rows, start, stored
from renderkiln.database import artifacts, backlog, batches, jobpage, jobs, moves, schema, stages
from renderkiln.database.batches import NewBatch
from renderkiln.database.cursor import Cursor
from renderkiln.database.engine import Database
from renderkiln.database.jobs import NewJob
from renderkiln.domain.artifact import Artifact
from renderkiln.domain.errors import Superseded, UserError
from renderkiln.domain.report import JobError, JobReport

LATER = NOON + timedelta(minutes=5)
FILM = Artifact("video", Path("/films/song.mp4"), 2**40, "ab" * 32, "video/mp4")
POSTER = Artifact("thumbnail", Path("/films/song.jpg"), 900, "cd" * 32, "image/jpeg")
NASTY = "nul \x00, quote ' \" %_\\, lone \udcff, \ufdd0, 日本語, 🔥"

Held = Callable[[sa.Connection, str, int, str], Any]
HELD: dict[str, Held] = {
    "note_progress": lambda c, *held: moves.note_progress_if_held(
        c, *held, stage="render", progress=50.0, message="half"
    ),
    "note_facts": lambda c, *held: moves.note_facts_if_held(c, *held, warnings={"LOUD": "too loud"}),
    "note_no_facts": lambda c, *held: moves.note_facts_if_held(c, *held),
    "complete": lambda c, *held: moves.complete_if_held(c, *held, result={}, artifacts=[FILM], now=LATER),
    "fail": lambda c, *held: moves.fail_if_held(c, *held, error=JobError("BAD", "bad"), now=LATER),
    "cancel": lambda c, *held: moves.cancel_if_held(c, *held, message="stop", now=LATER),
    "put_back": lambda c, *held: moves.put_back_if_held(
        c, *held, next_attempt=2, not_before=LATER, message="again"
    ),
    "hand_back": lambda c, id, attempt, owner: moves.hand_back_if_held(c, id, attempt, owner, "bye"),
    "record": lambda c, id, attempt, owner: stages.record_if_held(
        c,
        job_id=id,
        attempt=attempt,
        owner=owner,
        fingerprint="f",
        stage="render",
        result={},
        warnings={},
        seconds=1.0,
        now=LATER,
    ),
    "warn": lambda c, id, attempt, owner: stages.warn_if_held(
        c, job_id=id, attempt=attempt, owner=owner, fingerprint="f", stage="render", warnings={}, now=LATER
    ),
}


def test_a_job_comes_back_as_it_was_stored(database: Database) -> None:
    job = a_job(
        "b-song-mp4",
        format="mp4",
        params={"title": NASTY, "gain": -1.5, "deep": {"list": [1, None, True, {NASTY: []}]}},
        inputs=(Path("/music") / NASTY.replace("\x00", ""), Path("/music/b.wav")),
        label=NASTY,
        priority=-3,
        max_attempts=7,
        metadata={"order": 17},
        created_at=NOON + timedelta(microseconds=123457),
    )
    add_batch(database, NewJob(job, 4, Path("/films"), LATER, direct=True, owner="me"))
    found = stored(database, job.id)
    assert found.report == JobReport(job, attempt=1)
    assert (found.position, found.output_dir, found.not_before) == (4, Path("/films"), LATER)
    assert (found.direct, found.owner, found.crashes, found.fingerprint) == (True, "me", 0, None)


def test_a_job_that_is_not_there_is_none(database: Database) -> None:
    with database.read() as connection:
        assert jobs.find(connection, "nobody") is None


def test_ten_thousand_jobs_are_stored_in_portions(database: Database) -> None:
    """Neither row by row, nor all at once: Postgres ends a transaction that makes rows for five seconds."""
    said: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *call: said.append(call[2]))
    add_batch(database, *(a_job(f"b-{number}") for number in range(10_000)))
    assert len([each for each in said if each.startswith(f"INSERT INTO {schema.jobs.name} ")]) == 20
    with database.read() as connection:
        assert backlog.counts(connection) == {"video": {"pending": 10_000}}


def test_an_id_that_is_taken_is_a_users_error_and_stores_nothing(database: Database) -> None:
    add_batch(database, a_job())
    with pytest.raises(UserError, match="taken"):
        add_batch(database, a_job("c-9", batch_id="c"), a_job("b-1", batch_id="c"), id="c")
    assert [row["id"] for row in rows(database, schema.jobs)] == ["b-1"]
    assert [row["id"] for row in rows(database, schema.batches)] == ["b"]


def test_starting_gives_the_job_to_one_owner(database: Database) -> None:
    add_batch(database, NewJob(a_job(), 1, Path("/films"), not_before=NOON))
    with database.write() as connection:
        report = moves.start_if_waiting(connection, "b-1", 1, "w1", "kiln-1", LATER).report
    assert (report.state, report.attempt, report.worker) == ("processing", 1, "kiln-1")
    assert report.started_at == report.processed_at == LATER
    assert stored(database).owner == "w1"
    assert stored(database).not_before is None
    with pytest.raises(Superseded, match="job b-1 is processing now, attempt 1, held by w1"):
        start(database, owner="w2")
    assert stored(database).owner == "w1"


def test_another_attempt_than_the_queued_one_does_not_start(database: Database) -> None:
    add_batch(database, a_job())
    for attempt in (0, 2):
        with pytest.raises(Superseded):
            start(database, attempt=attempt)
    assert stored(database).report.state == "pending"


def test_a_direct_job_that_waits_for_its_retry_is_started_by_its_own_process_only(database: Database) -> None:
    add_batch(database, NewJob(a_job(), 1, Path("/films"), direct=True, owner="me"))
    with pytest.raises(Superseded):
        start(database, owner="worker")
    start(database, owner="me")
    with database.write() as connection:
        moves.put_back_if_held(
            connection, "b-1", 1, "me", next_attempt=2, not_before=LATER, message="", owner_after="me"
        )
    with pytest.raises(Superseded):
        start(database, attempt=2, owner="worker")
    start(database, attempt=2, owner="me")
    assert stored(database).report.attempt == 2


def test_the_first_start_is_remembered_and_the_latest_too(database: Database) -> None:
    add_batch(database, a_job())
    start(database)
    with database.write() as connection:
        moves.put_back_if_held(connection, "b-1", 1, "w1", next_attempt=2, not_before=LATER, message="again")
    waiting = stored(database)
    assert (waiting.report.state, waiting.report.attempt, waiting.report.message) == ("pending", 2, "again")
    assert (waiting.not_before, waiting.owner) == (LATER, None)
    with database.write() as connection:
        report = moves.start_if_waiting(connection, "b-1", 2, "w2", "worker", LATER).report
    assert (report.started_at, report.processed_at) == (NOON, LATER)


def test_progress_never_falls(database: Database) -> None:
    add_batch(database, a_job())
    start(database)
    seen = []
    for percent in (10.0, 5.0, float("nan"), 40.0, -1.0, 1000.0, float("inf")):
        with database.write() as connection:
            moves.note_progress_if_held(
                connection, "b-1", 1, "w1", stage="render", progress=percent, message=f"{percent}"
            )
        seen.append(stored(database).report.progress)
    assert seen == [10.0, 10.0, 10.0, 40.0, 40.0, 100.0, 100.0]
    assert stored(database).report.stage == "render"
    assert stored(database).report.message == "inf"


def test_facts_are_replaced_where_they_are_given(database: Database) -> None:
    add_batch(database, a_job())
    start(database)
    with database.write() as connection:
        moves.note_facts_if_held(
            connection, "b-1", 1, "w1", warnings={"Z": NASTY, "A": "a"}, reused=["listen"]
        )
        moves.note_facts_if_held(connection, "b-1", 1, "w1", left_out={"poster": "no"}, fingerprint="f1")
    found = stored(database)
    assert found.report.warnings == {"Z": NASTY, "A": "a"}
    assert (found.report.reused, found.report.left_out) == (("listen",), {"poster": "no"})
    assert found.fingerprint == "f1"


def test_a_completed_job_has_its_files_in_order(database: Database) -> None:
    add_batch(database, a_job())
    start(database)
    with database.write() as connection:
        moves.complete_if_held(
            connection, "b-1", 1, "w1", result={"frames": 250}, artifacts=[POSTER, FILM], now=LATER
        )
    found = stored(database)
    assert (found.report.state, found.report.progress, found.report.completed_at) == (
        "completed",
        100.0,
        LATER,
    )
    assert (found.report.result, found.report.artifacts) == ({"frames": 250}, (POSTER, FILM))
    assert found.owner is None
    assert [row["id"] for row in rows(database, schema.artifacts)] == ["b-1-1", "b-1-2"]


def test_a_failed_job_says_why(database: Database) -> None:
    add_batch(database, a_job())
    start(database)
    with database.write() as connection:
        moves.fail_if_held(connection, "b-1", 1, "w1", error=JobError("UNREADABLE", NASTY), now=LATER)
    found = stored(database)
    assert (found.report.state, found.report.error) == ("failed", JobError("UNREADABLE", NASTY))
    assert (found.report.completed_at, found.owner) == (LATER, None)


def test_a_job_handed_back_waits_at_the_same_attempt(database: Database) -> None:
    add_batch(database, a_job())
    start(database)
    with database.write() as connection:
        moves.hand_back_if_held(connection, "b-1", 1, "w1", "bye")
    found = stored(database)
    assert (found.report.state, found.report.attempt, found.crashes, found.owner) == ("pending", 1, 0, None)


@pytest.mark.parametrize("verb", HELD)
def test_who_does_not_hold_the_attempt_changes_nothing(database: Database, verb: str) -> None:
    add_batch(database, a_job(), a_job("b-2"))
    start(database)
    start(database, "b-2")
    before = _everything(database)
    for id, attempt, owner in [
        ("b-1", 1, "w2"),
        ("b-1", 2, "w1"),
        ("b-1", 0, "w1"),
        ("b-1", 1, ""),
        ("gone", 1, "w1"),
    ]:
        with pytest.raises(Superseded, match="nothing was changed"), database.write() as connection:
            HELD[verb](connection, id, attempt, owner)
    assert _everything(database) == before
    with database.write() as connection:
        HELD[verb](connection, "b-1", 1, "w1")
    if verb != "note_no_facts":
        assert _everything(database) != before


@pytest.mark.parametrize("way", ["complete", "fail", "cancel", "put_back", "hand_back"])
def test_a_late_finish_changes_nothing(database: Database, way: str) -> None:
    add_batch(database, a_job())
    start(database)
    with database.write() as connection:
        HELD[way](connection, "b-1", 1, "w1")
    before = _everything(database)
    for verb in HELD.values():
        with pytest.raises(Superseded), database.write() as connection:
            verb(connection, "b-1", 1, "w1")
        assert _everything(database) == before


def test_a_waiting_job_is_withdrawn_and_a_running_one_cancelled_each_by_its_own_verb(
    database: Database,
) -> None:
    add_batch(
        database, a_job("b-1"), a_job("b-2"), NewJob(a_job("b-3"), 3, Path("/f"), direct=True, owner="me")
    )
    start(database, "b-2")
    for verb, id in [(moves.cancel_if_running, "b-1"), (moves.withdraw_if_waiting, "b-2")]:
        with pytest.raises(Superseded), database.write() as connection:
            verb(connection, id, LATER)
    with database.write() as connection:
        moves.withdraw_if_waiting(connection, "b-1", LATER)
        moves.cancel_if_running(connection, "b-2", LATER)
        moves.withdraw_if_waiting(connection, "b-3", LATER)
    for id in ("b-1", "b-2", "b-3"):
        found = stored(database, id)
        assert (found.report.state, found.report.completed_at, found.owner) == ("cancelled", LATER, None)


def test_a_failed_job_is_reopened_for_more_attempts(database: Database) -> None:
    add_batch(database, a_job(max_attempts=3))
    with database.write() as connection:
        moves.start_if_waiting(connection, "b-1", 1, "w1", "worker", NOON)
        HELD["note_progress"](connection, "b-1", 1, "w1")
        HELD["fail"](connection, "b-1", 1, "w1")
    with database.write() as connection:
        assert moves.reopen_if_failed(connection, "b-1", attempts_more=4, now=LATER) == 2
    found = stored(database)
    assert (found.report.state, found.report.attempt, found.report.job.max_attempts) == ("pending", 2, 5)
    assert (found.report.error, found.report.completed_at, found.report.progress) == (None, None, 0.0)
    assert (found.crashes, found.report.message, found.report.stage) == (0, "", None)
    with pytest.raises(Superseded), database.write() as connection:
        moves.reopen_if_failed(connection, "b-1", attempts_more=4, now=LATER)


@pytest.mark.parametrize("verb", ["complete", "cancel", None])
def test_only_failed_jobs_are_reopened(database: Database, verb: str | None) -> None:
    add_batch(database, a_job())
    start(database)
    if verb is not None:
        with database.write() as connection:
            HELD[verb](connection, "b-1", 1, "w1")
    before = _everything(database)
    with pytest.raises(Superseded), database.write() as connection:
        moves.reopen_if_failed(connection, "b-1", attempts_more=1, now=LATER)
    assert _everything(database) == before


def test_priority_changes_only_while_the_job_waits(database: Database) -> None:
    add_batch(database, a_job())
    with database.write() as connection:
        moves.set_priority_if_waiting(connection, "b-1", 5)
    start(database)
    with pytest.raises(Superseded), database.write() as connection:
        moves.set_priority_if_waiting(connection, "b-1", 1)
    assert stored(database).report.job.priority == 5


def test_what_an_executor_still_holds_are_its_running_attempts(database: Database) -> None:
    add_batch(
        database, a_job("b-1"), a_job("b-2"), a_job("b-3"), NewJob(a_job("b-4"), 4, Path("/f"), owner="w1")
    )
    start(database, "b-1")
    start(database, "b-2")
    start(database, "b-3", owner="w2")
    with database.write() as connection:
        moves.cancel_if_running(connection, "b-2", LATER)
    with database.read() as connection:
        assert jobs.still_held(connection, "w1") == {("b-1", 1)}
        assert jobs.owners(connection) == {"w1", "w2"}


def test_work_in_use_is_that_of_jobs_that_have_not_ended(database: Database) -> None:
    add_batch(database, *(a_job(f"b-{number}") for number in range(4)))
    for number in range(3):
        start(database, f"b-{number}")
        with database.write() as connection:
            moves.note_facts_if_held(connection, f"b-{number}", 1, "w1", fingerprint=f"f{number}")
    with database.write() as connection:
        moves.fail_if_held(connection, "b-0", 1, "w1", error=JobError("A", "a"), now=LATER)
        moves.hand_back_if_held(connection, "b-1", 1, "w1", "bye")
    with database.read() as connection:
        assert jobs.fingerprints_in_use(connection) == {"f1", "f2"}
        assert jobs.is_fingerprint_in_use(connection, "f2", besides="b-9")
        assert not jobs.is_fingerprint_in_use(connection, "f2", besides="b-2")


def test_pages_go_through_all_jobs_once_the_newest_first(database: Database) -> None:
    times = [NOON + timedelta(microseconds=number // 3) for number in range(20)]  # several at one moment
    add_batch(database, *(a_job(f"b-{n:02}", created_at=moment) for n, moment in enumerate(times)))
    seen: list[str] = []
    before = None
    while True:
        with database.read() as connection:
            found = jobpage.page(connection, before=before, limit=3)
        if not found:
            break
        seen += [each.report.job.id for each in found]
        before = Cursor(found[-1].report.job.created_at, found[-1].report.job.id)
        if len(seen) == 3:  # newer ones do not disturb who is already on the way
            add_batch(database, a_job("new", batch_id="c", created_at=LATER), id="c")
    assert seen == [f"b-{n:02}" for n in reversed(range(20))]


def test_a_page_shows_what_was_asked_for(database: Database) -> None:
    add_batch(
        database,
        a_job("b-1", queue="audio", label="100% Übung"),
        a_job("b-2", label="1000 Sounds", pipeline="scenes"),
        a_job("b-3"),
    )
    start(database, "b-3")

    def ids(**wanted: Any) -> list[str]:
        with database.read() as connection:
            return [each.report.job.id for each in jobpage.page(connection, **wanted)]

    assert ids() == ["b-3", "b-2", "b-1"]
    assert ids(queue="audio") == ["b-1"]
    assert ids(pipeline="scenes") == ["b-2"]
    assert ids(states=["processing"]) == ["b-3"]
    assert ids(states=["processing", "pending"], queue="video") == ["b-3", "b-2"]
    assert ids(batch_id="c") == []
    assert ids(text="100%") == ["b-1"]
    assert ids(text="SOUND") == ["b-2"]
    assert ids(text="B-3") == ["b-3"]
    assert ids(text="\x00\udcff'") == []


def test_a_batchs_jobs_come_in_order(database: Database) -> None:
    add_batch(database, a_job("b-9"), a_job("b-1"), a_job("b-5"))
    with database.read() as connection:
        assert [each.report.job.id for each in jobs.of_batch(connection, "b")] == ["b-9", "b-1", "b-5"]


def test_counts_and_the_oldest_waiting_by_queue(database: Database) -> None:
    add_batch(
        database,
        a_job("b-1", queue="audio"),
        a_job("b-2", created_at=NOON - timedelta(hours=1)),
        a_job("b-3"),
        NewJob(a_job("b-4", queue="later", created_at=NOON), 4, Path("/f"), not_before=LATER),
    )
    start(database, "b-2")
    with database.read() as connection:
        assert backlog.counts(connection) == {
            "audio": {"pending": 1},
            "video": {"pending": 1, "processing": 1},
            "later": {"pending": 1},
        }
        assert backlog.oldest_waiting(connection) == {"audio": NOON, "video": NOON, "later": LATER}


def test_files_of_thousands_of_jobs_are_found_at_once(database: Database) -> None:
    with database.read() as connection:
        found = artifacts.of_jobs(connection, [f"b-{number}" for number in range(40_000)])
    assert found == {}


def test_the_database_itself_refuses_impossible_jobs(database: Database) -> None:
    add_batch(database, a_job())
    for values in (
        {"state": "lost"},
        {"state": "processing", "owner": None},
        {"state": "completed", "owner": "w1"},
    ):
        with pytest.raises(sa.exc.IntegrityError), database.write() as connection:
            connection.execute(sa.update(schema.jobs).values(**values))


def test_a_time_without_zone_is_refused(database: Database) -> None:
    with pytest.raises(sa.exc.StatementError, match="aware"), database.write() as connection:
        batches.insert(connection, NewBatch("n", NOON.replace(tzinfo=None)))


def _everything(database: Database) -> list[Any]:
    return [rows(database, table) for table in (schema.jobs, schema.artifacts, schema.stages)]
