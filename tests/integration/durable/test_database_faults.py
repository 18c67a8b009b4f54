"""What happens to running jobs when their database is away, locked or full."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import time
from typing import Any

import psycopg
import pytest

from databases import Postgres
from waiting import until

from .conftest import Rig

pytestmark = pytest.mark.integration

SLOW: dict[str, Any] = {"segments": 8, "seconds": 1.0, "pace": True}
BY_POSTGRES = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
BY_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@BY_POSTGRES
def test_postgres_is_killed_and_restarted_and_the_render_goes_on(rig: Rig, postgres: Postgres) -> None:
    worker = rig.worker("first")
    (id,) = rig.submit("note", **SLOW)
    until(lambda: rig.told("part.completed", job=id))
    postgres.crash()
    time.sleep(3.0)
    postgres.restart()
    rig.room.database.engine.dispose()
    until(lambda: rig.state(id) == "completed")
    assert rig.job(id).report.attempt == 1
    assert rig.told("job.taken_over", "job.retrying", "worker.lost") == []
    parts = [each.event.facts["part"] for each in rig.told("part.completed", job=id)]
    assert sorted(parts) == [f"{number:03d}" for number in range(8)]
    (next_id,) = rig.submit("next", segments=1)  # and the queue lives, too
    until(lambda: rig.state(next_id) == "completed")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0


@BY_SQLITE
@pytest.mark.timeout(120)
def test_a_database_locked_for_twenty_seconds_costs_nobody_anything(rig: Rig) -> None:
    """The workers here call the others dead after 6 s, so that 20 s would be plenty."""
    workers = [rig.worker(name, environ={"SILENCE": "6"}) for name in ("first", "second")]
    ids = rig.submit("a", "b", **SLOW)
    until(lambda: len(rig.told("part.completed")) >= 2)
    with contextlib.closing(sqlite3.connect(rig.room.database.path, isolation_level=None)) as locking:
        locking.execute("PRAGMA busy_timeout = 30000")
        locking.execute("BEGIN IMMEDIATE")
        time.sleep(20.0)
        locking.execute("COMMIT")
    until(lambda: all(rig.state(id) == "completed" for id in ids))
    assert rig.told("job.taken_over", "job.retrying", "job.failed", "worker.lost") == []
    assert all(worker.poll() is None for worker in workers)


@BY_POSTGRES
@pytest.mark.timeout(120)
def test_a_locked_table_costs_nobody_anything(rig: Rig) -> None:
    rig.worker("first")
    (id,) = rig.submit("a", **SLOW)
    until(lambda: rig.told("part.completed"))
    with psycopg.connect(rig.url.replace("+psycopg", "")) as locking:
        locking.execute("LOCK TABLE kiln_jobs, kiln_workers IN ACCESS EXCLUSIVE MODE")
        time.sleep(20.0)
    until(lambda: rig.state(id) == "completed")
    assert rig.told("job.taken_over", "job.retrying", "job.failed", "worker.lost") == []


def test_a_clock_set_back_kills_nobody(rig: Rig) -> None:
    """A second after its start, the clock of one worker is an hour behind."""
    patient = {"SILENCE": "8"}  # so that a busy machine kills nobody either
    behind = rig.worker("behind", environ={"CLOCK_SET_BACK": "3600", **patient})
    rig.worker("right", environ=patient)
    ids = rig.submit("a", "b", "c", "d", **SLOW)
    until(lambda: all(rig.state(id) == "completed" for id in ids))
    assert rig.told("worker.lost", "job.taken_over") == []
    assert behind.poll() is None
