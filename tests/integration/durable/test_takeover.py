"""Nothing is lost and nothing is done twice when workers die, stop and wake up, on SQLite and on Postgres."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from renderkiln.database import attempts, moves
from renderkiln.database.attempts import AttemptRow
from renderkiln.domain.clock import SystemClock
from renderkiln.domain.errors import UserError
from renderkiln.engine.takeover import CRASHES, Takeover
from waiting import until

from .conftest import Rig

pytestmark = pytest.mark.integration

PARTS: dict[str, Any] = {"segments": 6, "seconds": 1.0, "pace": True}


def at_once(*calls: Callable[[], object]) -> None:
    """Call all of them at the same moment, each in a thread."""
    ready = threading.Barrier(len(calls))

    def call(each: Callable[[], object]) -> None:
        ready.wait()
        each()

    threads = [threading.Thread(target=call, args=(each,)) for each in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def held_by_the_dead(rig: Rig, name: str = "note") -> str:
    """A job that an executor holds which does not live."""
    (id,) = rig.submit(name)
    with rig.room.database.write() as connection:
        moves.start_if_waiting(connection, id, 1, "dead", "w", SystemClock().now())
    rig.room.tickets.take_back(rig.room.tickets.of_job(id))
    return id


def sweeper(rig: Rig, name: str) -> Takeover:
    return Takeover(rig.room.database, rig.room.tickets, SystemClock(), name)


def test_of_two_sweepers_one_takes_over(rig: Rig) -> None:
    for number in range(5):
        id = held_by_the_dead(rig, f"note{number}")
        at_once(*(partial(sweeper(rig, name), {"dead"}) for name in "abcd"))
        stored = rig.job(id)
        assert (stored.report.state, stored.owner, stored.crashes) == ("pending", None, 1)
        assert len(rig.told("job.taken_over", job=id)) == 1


def test_a_cancel_wins_against_a_takeover(rig: Rig) -> None:
    for number in range(5):
        id = held_by_the_dead(rig, f"note{number}")
        at_once(partial(rig.room.control.cancel, id), partial(sweeper(rig, "a"), {"dead"}))
        assert rig.state(id) == "cancelled"
        assert len(rig.told("job.cancelled", job=id)) == 1
        assert [e.event.facts["round"] for e in rig.told("batch.completed")] == [1] * (number + 1)


def test_a_job_that_kills_its_workers_is_given_up(rig: Rig) -> None:
    id = held_by_the_dead(rig)
    for crash in range(1, CRASHES + 1):
        if crash > 1:
            with rig.room.database.write() as connection:
                moves.start_if_waiting(connection, id, 1, "dead", "w", SystemClock().now())
        sweeper(rig, "a")({"dead"})
        assert rig.job(id).crashes == crash
    error = rig.job(id).report.error
    assert error is not None
    assert (error.code, error.message) == ("POISON", "crashed its worker 3 times")


def test_a_killed_workers_job_goes_on_where_it_was(rig: Rig) -> None:
    first = rig.worker("first")
    (id,) = rig.submit("note", **PARTS)
    until(lambda: len(rig.told("part.completed", job=id)) >= 2)
    first.kill()
    rig.worker("second")
    until(lambda: rig.state(id) == "completed")
    parts = [each.event.facts["part"] for each in rig.told("part.completed", job=id)]
    assert sorted(parts) == [f"{number:03d}" for number in range(6)]  # none was made twice
    assert rig.job(id).report.reused == ("gather",)
    assert rig.job(id).report.attempt == 1
    assert [path.name for path in rig.output.iterdir()] == ["note.mkv"]
    assert len(rig.told("batch.completed")) == 1
    assert not list((rig.app.settings.home / "work").iterdir())


def test_a_restart_under_the_same_name_is_another_worker(rig: Rig) -> None:
    first = rig.worker("same")
    (id,) = rig.submit("note", **PARTS)
    until(lambda: rig.told("part.completed", job=id))
    first.kill()
    rig.worker("same")
    until(lambda: rig.state(id) == "completed")
    assert len(rig.told("worker.lost")) == 1
    assert len(rig.told("job.taken_over", job=id)) == 1


def test_a_worker_that_was_only_stopped_changes_nothing(rig: Rig, capfd: pytest.CaptureFixture[str]) -> None:
    first = rig.worker("first")
    (id,) = rig.submit("note", **PARTS)
    until(lambda: rig.told("part.completed", job=id))
    rig.stop(first)
    rig.worker("second")
    until(lambda: rig.state(id) == "completed")
    before = rig.job(id), _sha256(rig.output / "note.mkv")
    first.send_signal(signal.SIGCONT)
    until(lambda: first.pid in {each.pid for each in rig.workers()})  # it is back among the living
    first.send_signal(signal.SIGTERM)
    assert first.wait(30) == 0
    assert (rig.job(id), _sha256(rig.output / "note.mkv")) == before
    assert [path.name for path in rig.output.iterdir()] == ["note.mkv"]
    assert len(rig.told("job.completed", job=id)) == 1
    assert "Traceback" not in capfd.readouterr().err  # that it lost the job is no fault


def test_a_worker_that_wakes_up_may_take_its_job_again(rig: Rig) -> None:
    """The run that lost the job is still ending: it must not end the job that its own process took again."""
    first = rig.worker("first")
    (id,) = rig.submit("note", **PARTS)
    until(lambda: len(rig.told("part.completed", job=id)) >= 2)
    rig.stop(first)
    owner = rig.job(id).owner
    assert owner is not None
    sweeper(rig, "other")({owner})
    first.send_signal(signal.SIGCONT)
    until(lambda: rig.state(id) in {"completed", "cancelled", "failed"})
    assert rig.state(id) == "completed"
    parts = [each.event.facts["part"] for each in rig.told("part.completed", job=id)]
    assert sorted(parts) == [f"{number:03d}" for number in range(6)]
    assert [path.name for path in rig.output.iterdir()] == ["note.mkv"]


def test_a_cancelled_job_that_is_retried_goes_on_where_it_was(rig: Rig) -> None:
    rig.worker("first")
    (id,) = rig.submit("note", **PARTS)
    until(lambda: len(rig.told("part.completed", job=id)) >= 2)
    rig.room.control.cancel(id)
    assert rig.room.control.retry(id) == 2
    until(lambda: rig.state(id) in {"completed", "failed"})
    report = rig.job(id).report
    assert (report.state, report.reused) == ("completed", ("gather",))
    parts = [each.event.facts["part"] for each in rig.told("part.completed", job=id)]
    assert sorted(parts) == [f"{number:03d}" for number in range(6)]


def test_a_ticket_is_not_lost_with_who_drew_it(rig: Rig) -> None:
    """Killed after the ticket was drawn, before the job was taken: nobody holds it, and nobody would come."""
    (id,) = rig.submit("note", segments=1)
    reader = os.fork()
    if reader == 0:
        with rig.app.__class__.open(rig.app.settings) as app:
            worker = app.room.worker(name="doomed")
            worker._draw = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[method-assign]
            worker.run()
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(reader, 0)[1]) == -signal.SIGKILL
    assert rig.state(id) == "pending"
    rig.worker("second")
    until(lambda: rig.state(id) == "completed")


def test_sigterm_lets_a_job_end(rig: Rig) -> None:
    first = rig.worker("first")
    ids = rig.submit("one", "two", "three", "four", **PARTS)
    until(lambda: rig.told("part.completed"))
    first.send_signal(signal.SIGTERM)
    assert first.wait(30) == 0
    assert sorted(map(rig.state, ids)) == ["completed", "completed", "pending", "pending"]
    assert rig.workers() == []


def test_a_second_signal_hands_a_job_back(rig: Rig) -> None:
    first = rig.worker("first")
    (id,) = rig.submit("note", **PARTS)
    until(lambda: rig.told("part.completed", job=id))
    first.send_signal(signal.SIGTERM)
    until(lambda: rig.workers()[0].draining)
    first.send_signal(signal.SIGTERM)
    assert first.wait(10) == 0
    assert len(rig.told("job.handed_back", job=id)) == 1
    stored = rig.job(id)
    assert (stored.report.state, stored.owner, stored.crashes) == ("pending", None, 0)
    rig.worker("second")
    until(lambda: rig.state(id) == "completed")
    assert rig.job(id).report.attempt == 1
    parts = [each.event.facts["part"] for each in rig.told("part.completed", job=id)]
    assert sorted(parts) == [f"{number:03d}" for number in range(6)]


def attempts_at(rig: Rig, id: str) -> list[AttemptRow]:
    with rig.room.database.read() as connection:
        return attempts.of_job(connection, id)


def test_a_running_job_is_cancelled(rig: Rig) -> None:
    rig.worker("first")
    mark = rig.folder / "pid"
    (id,) = rig.submit("note", pipeline="mischief:Mischief", mischief="hang", mark=str(mark))
    until(lambda: mark.exists() and mark.read_text())
    stage = int(mark.read_text())
    rig.room.control.cancel(id)
    (attempt,) = attempts_at(rig, id)
    assert (attempt.outcome, attempt.message) == ("cancelled", "Cancelled")
    until(lambda: not Path(f"/proc/{stage}").exists(), 3)
    assert rig.state(id) == "cancelled"
    until(lambda: attempts_at(rig, id)[0].seconds)  # what it has used is told by who ran it
    assert (attempts_at(rig, id)[0].cpu_seconds or 0) > 0
    with pytest.raises(UserError, match="has already ended"):
        rig.room.control.cancel(id)


def test_a_failed_job_is_tried_again_later(rig: Rig) -> None:
    rig.worker("first")
    (id,) = rig.submit("note", pipeline="mischief:Mischief", mischief="temporary")
    until(lambda: rig.state(id) == "failed")
    report = rig.job(id).report
    assert report.attempt == report.job.max_attempts
    assert len(rig.told("job.retrying", job=id)) == report.job.max_attempts - 1
    assert rig.room.control.retry(id) == report.attempt + 1
    until(lambda: rig.state(id) == "failed" and len(rig.told("job.failed", job=id)) == 2)
    assert [each.event.facts["round"] for each in rig.told("batch.completed")] == [1, 2]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
