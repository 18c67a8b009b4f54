"""What came, waited and ended in each step of time."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from databases import NOON, a_job, add_batch
from renderkiln.database.engine import Database
from renderkiln.database.schema import jobs
from renderkiln.domain.clock import SystemClock
from renderkiln.engine.activity import recent

MINUTE = timedelta(minutes=1)


class Noon(SystemClock):
    def now(self) -> datetime:
        return NOON


def at(minutes: float) -> datetime:
    return NOON - MINUTE * minutes


def test_steps_add_up_to_what_happened(database: Database) -> None:
    # (created, started, ended, state), in minutes before noon
    lives = [
        (9.5, 8.5, 7.5, "completed"),
        (9.5, 6.5, 5.5, "failed"),
        (2.5, 1.5, None, "processing"),
        (0.5, None, None, "pending"),
        (900, None, None, "pending"),
        (900, 899, 898, "completed"),
    ]
    add_batch(
        database,
        *(a_job(f"b-{n}", account="ann") for n in range(len(lives))),
        a_job("b-x", queue="other", created_at=at(0.1)),
    )
    with database.write() as connection:
        for n, (created, started, ended, state) in enumerate(lives):
            values = {
                "created_at": at(created),
                "started_at": None if started is None else at(started),
                "completed_at": None if ended is None else at(ended),
                "state": state,
                "owner": "w1" if state == "processing" else None,
            }
            connection.execute(sa.update(jobs).where(jobs.c.id == f"b-{n}").values(**values))
    since, found = recent(database, Noon(), MINUTE, 10, "ann")
    (video,) = found
    assert since == at(10)
    assert video.completed == [0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
    assert video.failed == [0, 0, 0, 0, 1, 0, 0, 0, 0, 0]
    assert video.waiting == [3, 2, 2, 1, 1, 1, 1, 2, 1, 2]
    assert video.waits == [None, 60.0, None, 180.0, None, None, None, None, 60.0, None]
    assert {each.queue for each in recent(database, Noon(), MINUTE, 10)[1]} == {"video", "other"}
