"""Jobs that nobody would come for are found and put back into their queue."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from renderkiln.database import moves
from renderkiln.domain.clock import SystemClock
from renderkiln.engine.strays import Attempt, Strays
from waiting import until

from .conftest import Rig

pytestmark = pytest.mark.integration


class Later(SystemClock):
    """A clock that is ahead: what was submitted now has waited long."""

    def now(self) -> datetime:
        return super().now() + timedelta(minutes=5)


def strays(rig: Rig, owner: str, *running: Attempt, at: Collection[str] = ()) -> Strays:
    room = rig.room
    return Strays(room.database, room.tickets, Later(), owner, lambda: list(running), lambda: at)


def test_a_waiting_job_without_a_ticket_gets_one(rig: Rig) -> None:
    lost, fine = rig.submit("lost", "fine", segments=1)
    rig.room.tickets.take_back(rig.room.tickets.of_job(lost))
    (kept,) = rig.room.tickets.of_job(fine)
    strays(rig, "w").look()
    assert [ticket.attempt for ticket in rig.room.tickets.of_job(lost)] == [1]
    assert rig.room.tickets.of_job(fine) == [kept]
    rig.worker("first")
    until(lambda: rig.state(lost) == rig.state(fine) == "completed")


def test_what_a_worker_holds_and_does_not_run_is_put_back_at_the_second_look(rig: Rig) -> None:
    held, runs = rig.submit("held", "runs", segments=1)
    for id in (held, runs):
        rig.room.tickets.take_back(rig.room.tickets.of_job(id))
        with rig.room.database.write() as connection:
            moves.start_if_waiting(connection, id, 1, "w", "w", SystemClock().now())
    rig.room.queues.pause("video-rendering")
    looking = strays(rig, "w", (runs, 1))
    looking.look()
    assert rig.state(held) == "processing"  # it may have been taken a moment ago
    looking.look()
    assert (rig.state(held), rig.state(runs)) == ("pending", "processing")
    assert rig.job(held).owner is None
    assert [ticket.attempt for ticket in rig.room.tickets.of_job(held)] == [1]
    assert len(rig.told("job.handed_back", job=held)) == 1


def test_a_ticket_that_was_drawn_and_not_run_is_written_anew(rig: Rig) -> None:
    """The queue engine may have failed in between, as it does where its database is slow."""
    stuck, runs = rig.submit("stuck", "runs", segments=1)
    tickets = rig.room.tickets
    table = "workflow_status" if rig.room.database.is_sqlite else "dbos.workflow_status"
    with rig.room.database.write() as connection:
        connection.execute(sa.text(f"UPDATE {table} SET status = 'PENDING', executor_id = 'w'"))
    (drawn,), (running,) = tickets.of_job(stuck), tickets.of_job(runs)
    looking = strays(rig, "w", at=[running.id])
    looking.look()
    assert tickets.of_job(stuck) == [drawn]  # it may be run in a moment
    looking.look()
    (anew,) = tickets.of_job(stuck)
    assert anew != drawn
    assert tickets.of_job(runs) == [running]
