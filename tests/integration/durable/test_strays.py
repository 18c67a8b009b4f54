"""Jobs that nobody would come for are found and put back into their queue."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from renderkiln.database import jobs
from renderkiln.domain.clock import SystemClock
from renderkiln.engine.strays import Attempt, Strays

from .conftest import Rig

pytestmark = pytest.mark.integration


class Later(SystemClock):
    """A clock that is ahead: what was submitted now has waited long."""

    def now(self) -> datetime:
        return super().now() + timedelta(minutes=5)


def strays(rig: Rig, owner: str, *running: Attempt) -> Strays:
    return Strays(rig.room.database, rig.room.tickets, Later(), owner, lambda: list(running))


def test_a_waiting_job_without_a_ticket_gets_one(rig: Rig) -> None:
    lost, fine = rig.submit("lost", "fine", segments=1)
    rig.room.tickets.take_back(rig.room.tickets.of_job(lost))
    (kept,) = rig.room.tickets.of_job(fine)
    strays(rig, "w").look()
    assert [ticket.attempt for ticket in rig.room.tickets.of_job(lost)] == [1]
    assert rig.room.tickets.of_job(fine) == [kept]
    rig.worker("first")
    rig.until(lambda: rig.state(lost) == rig.state(fine) == "completed")


def test_what_a_worker_holds_and_does_not_run_is_put_back_at_the_second_look(rig: Rig) -> None:
    held, runs = rig.submit("held", "runs", segments=1)
    rig.room.queues.pause("video-rendering")
    for id in (held, runs):
        rig.room.tickets.take_back(rig.room.tickets.of_job(id))
        with rig.room.database.write() as connection:
            jobs.start_if_waiting(connection, id, 1, "w", "w", SystemClock().now())
    looking = strays(rig, "w", (runs, 1))
    looking.look()
    assert rig.state(held) == "processing"  # it may have been taken a moment ago
    looking.look()
    assert (rig.state(held), rig.state(runs)) == ("pending", "processing")
    assert rig.job(held).owner is None
    assert [ticket.attempt for ticket in rig.room.tickets.of_job(held)] == [1]
    assert len(rig.told("job.handed_back", job=held)) == 1
