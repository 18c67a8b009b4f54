"""Old rows go, few at a time; what somebody needs stays, also when that begins at the last moment."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from databases import NOON, a_job, add_batch, rows, start, stored
from renderkiln.database import attempts, batches, events, expiry, jobs, moves, schema, stages
from renderkiln.database.batches import NewBatch
from renderkiln.database.engine import Database
from renderkiln.database.jobs import NewJob
from renderkiln.domain.artifact import Artifact
from renderkiln.domain.event import Event
from renderkiln.domain.report import JobError

SOON = NOON + timedelta(minutes=1)
LATER = NOON + timedelta(days=90)
FILM = Artifact("video", Path("/films/song.mp4"), 9, "ab" * 32, "video/mp4")


def run(
    database: Database, id: str, *, fingerprint: str = "f", now: datetime = NOON, fail: bool = False
) -> None:
    """Run a job to its end, with one finished stage."""
    held: tuple[str, int, str] = (id, 1, "w1")
    batch = stored(database, id).report.job.batch_id
    start(database, id)
    with database.write() as connection:
        attempts.begin(connection, *held, "worker", now)
        moves.note_facts_if_held(connection, *held, fingerprint=fingerprint)
        stages.record_if_held(
            connection,
            job_id=id,
            attempt=1,
            owner="w1",
            fingerprint=fingerprint,
            stage=f"render {id}",
            result={},
            warnings={},
            seconds=1.0,
            now=now,
        )
        if fail:
            moves.fail_if_held(connection, *held, error=JobError("BAD", "bad"), now=now)
        else:
            moves.complete_if_held(connection, *held, result={}, artifacts=[FILM], now=now)
        batches.complete_if_all_ended(connection, batch, now)


def old(database: Database, moment: datetime = LATER, limit: int = 100) -> list[str]:
    with database.read() as connection:
        return expiry.old_jobs(connection, moment, limit)


def forget(database: Database, *ids: str, moment: datetime = LATER) -> int:
    with database.write() as connection:
        return expiry.forget_jobs(connection, ids, moment)


def left_stages(database: Database) -> list[str]:
    with database.read() as connection:
        return sorted(key.stage for key in expiry.old_stages(connection, LATER, 100))


def test_ended_jobs_go_with_all_that_hangs_on_them(database: Database) -> None:
    add_batch(database, a_job("b-1"), a_job("b-2"))
    for id in ("b-1", "b-2"):
        run(database, id)
    with database.write() as connection:
        connection.execute(sa.insert(schema.dependencies).values(job_id="b-2", needs_job_id="b-1"))
    assert old(database, NOON) == []
    assert old(database, SOON) == ["b-1", "b-2"]
    assert old(database, SOON, limit=1) == ["b-1"]
    assert forget(database, "b-1", "b-2", "nobody", moment=SOON) == 2
    for table in (schema.jobs, schema.attempts, schema.stages, schema.artifacts, schema.dependencies):
        assert rows(database, table) == []


def test_a_batch_is_whole_until_all_its_jobs_have_ended(database: Database) -> None:
    add_batch(database, a_job("b-1"), a_job("b-2"))
    run(database, "b-1")
    assert old(database) == []
    assert forget(database, "b-1") == 0
    run(database, "b-2", now=LATER - timedelta(days=1))
    assert old(database, LATER - timedelta(days=1)) == ["b-1"]


def test_what_an_open_job_needs_stays(database: Database) -> None:
    for batch in "bcde":
        add_batch(database, a_job(f"{batch}-1", batch_id=batch), id=batch)
    run(database, "b-1")
    run(database, "c-1", fingerprint="shared", fail=True)
    run(database, "d-1", fingerprint="free")
    start(database, "e-1")
    with database.write() as connection:
        connection.execute(sa.insert(schema.dependencies).values(job_id="e-1", needs_job_id="b-1"))
        moves.note_facts_if_held(connection, "e-1", 1, "w1", fingerprint="shared")
    assert old(database) == ["d-1"]
    assert left_stages(database) == ["render b-1", "render d-1"]
    assert forget(database, "b-1", "c-1", "d-1", "e-1") == 1


def test_what_is_reopened_at_the_last_moment_stays(database: Database) -> None:
    add_batch(database, a_job())
    run(database, "b-1", fail=True)
    with database.read() as connection:
        keys = expiry.old_stages(connection, LATER, 100)
    assert (old(database), len(keys)) == (["b-1"], 1)
    with database.write() as connection:
        moves.reopen_if_failed(connection, "b-1", attempts_more=1, now=LATER)
        batches.reopen(connection, "b")
    assert forget(database, "b-1") == 0
    with database.write() as connection:
        assert expiry.forget_stages(connection, keys, LATER) == 0
    assert len(rows(database, schema.stages)) == 1


def test_stages_go_before_their_job_does(database: Database) -> None:
    add_batch(database, a_job())
    run(database, "b-1", fail=True)
    with database.read() as connection:
        assert expiry.old_stages(connection, NOON, 100) == []
        keys = expiry.old_stages(connection, SOON, 100)
    with database.write() as connection:
        assert expiry.forget_stages(connection, keys, SOON) == 1
    assert rows(database, schema.stages) == []
    assert stored(database).report.state == "failed"


def test_a_batch_goes_when_it_is_empty_and_its_idempotency_key_never(database: Database) -> None:
    with database.write() as connection:
        for id, key in (("b", None), ("keyed", "key"), ("new", None)):
            batches.insert(connection, NewBatch(id, LATER if id == "new" else NOON, idempotency_key=key))
        jobs.insert(connection, [NewJob(a_job(), 1, Path("/films"))])
    with database.read() as connection:
        assert expiry.empty_batches(connection, LATER, 10) == []
    run(database, "b-1")
    forget(database, "b-1")
    with database.read() as connection:
        assert expiry.empty_batches(connection, LATER, 10) == ["b"]
    with database.write() as connection:
        assert expiry.forget_batches(connection, ["b", "keyed", "new"], LATER) == 1
        found = batches.by_idempotency_key(connection, "key")
    assert found is not None
    assert found.id == "keyed"


def test_old_events_go_and_their_numbers_are_never_given_again(database: Database) -> None:
    with database.write() as connection:
        for minute in range(3):
            moment = NOON + timedelta(minutes=minute)
            events.append(connection, Event("worker.started", None, moment, 0.0))
    with database.read() as connection:
        assert len(expiry.old_events(connection, LATER, 2)) == 2
        numbers = expiry.old_events(connection, NOON + timedelta(minutes=2), 9)
        newest = events.after(connection, 0)[-1].seq
    with database.write() as connection:
        assert expiry.forget_events(connection, numbers) == 2
        assert expiry.forget_events(connection, numbers) == 0
        assert [each.seq for each in events.after(connection, 0)] == [newest]


def test_jobs_that_are_known(database: Database) -> None:
    add_batch(database, a_job())
    with database.read() as connection:
        assert expiry.known_jobs(connection, ["b-1", "b-2", "crash-20260127"]) == {"b-1"}


def test_two_that_forget_at_once_share_the_work(database: Database) -> None:
    add_batch(database, *(a_job(f"b-{number}") for number in range(40)))
    for number in range(40):
        run(database, f"b-{number}", fingerprint=f"f{number}")
    ids, ready, gone = old(database), threading.Barrier(3), []

    def each() -> None:
        ready.wait()
        gone.append(forget(database, *ids))

    threads = [threading.Thread(target=each) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(gone) == 40


def test_one_turn_is_short(database: Database) -> None:
    """The jobs that the retention forgets at once, each with the parts of a film of seven minutes."""
    count = 50
    add_batch(database, *(a_job(f"b-{number}") for number in range(count)))
    hanging: list[dict[str, Any]] = [
        {
            "fingerprint": f"f{number}",
            "stage": "render",
            "part": f"{part}",
            "job_id": f"b-{number}",
            "result": {"frames": 300},
            "warnings": {},
            "recorded_at": NOON,
        }
        for number in range(count)
        for part in range(40)
    ]
    with database.write() as connection:
        connection.execute(sa.insert(schema.stages), hanging)
        connection.execute(sa.update(schema.jobs).values(state="completed", completed_at=NOON))
        batches.complete_if_all_ended(connection, "b", NOON)
    ids = old(database)
    begun = time.process_time()  # SQLite works in this process, however busy the machine is
    assert forget(database, *ids) == count
    assert time.process_time() - begun < 0.2
