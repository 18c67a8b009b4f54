"""Limits, order, pause and scheduled starts, with workers that are real processes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from renderkiln.domain.errors import UsageError, UserError
from renderkiln.engine.submission import Submission
from waiting import until

from .conftest import DEMO, Rig

pytestmark = pytest.mark.integration

SLOW: dict[str, Any] = {"segments": 4, "seconds": 1.0, "pace": True}
QUEUE = "video-rendering"


@contextmanager
def watching(rig: Rig) -> Iterator[list[int]]:
    """How many jobs ran at once, at every look."""
    seen: list[int] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            seen.append(rig.room.queues.reports()[0].counts["processing"])

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def all_completed(rig: Rig, ids: list[str]) -> bool:
    return all(rig.state(id) == "completed" for id in ids)


def test_a_worker_runs_as_many_as_its_settings_say(rig: Rig) -> None:
    ids = rig.submit("a", "b", "c", "d", **SLOW)
    with watching(rig) as seen:
        rig.worker("first")
        until(lambda: all_completed(rig, ids))
    assert max(seen) == 2


def test_a_worker_with_its_own_bound_stays_below_it(rig: Rig) -> None:
    ids = rig.submit("a", "b", "c", **SLOW)
    with watching(rig) as seen:
        rig.worker("first", most=1)
        until(lambda: all_completed(rig, ids))
    assert max(seen) == 1


def test_limits_change_at_run_time_and_hold_over_all_workers(rig: Rig) -> None:
    rig.room.queues.set_limits(QUEUE, global_limit=1, worker_limit=1)
    ids = rig.submit("a", "b", "c", "d", "e", "f", **SLOW)  # a worker may take a while to hear of a change
    with watching(rig) as seen:
        rig.worker("first")
        rig.worker("second")
        until(lambda: rig.state(ids[0]) == "completed")
    assert max(seen) == 1
    rig.room.queues.set_limits(QUEUE, global_limit=None, worker_limit=None)
    with watching(rig) as seen:
        until(lambda: all_completed(rig, ids))
    assert max(seen) > 1
    report = rig.room.queues.reports()[0]
    assert (report.name, report.worker_limit, report.global_limit) == (QUEUE, 2, None)


def test_a_paused_queue_starts_nothing_and_lets_end_what_runs(rig: Rig) -> None:
    rig.worker("first")
    running = rig.submit("a", **SLOW)
    until(lambda: rig.told("part.completed"))
    rig.room.queues.pause(QUEUE)
    waiting = rig.submit("b", segments=1)
    until(lambda: all_completed(rig, running))
    rig.app._clock.sleep(1.0)
    assert rig.state(waiting[0]) == "pending"
    assert rig.room.queues.reports()[0].paused
    rig.room.queues.resume(QUEUE)
    until(lambda: all_completed(rig, waiting))
    assert len(rig.told("queue.paused")) == len(rig.told("queue.resumed")) == 1


def test_a_pause_outlives_the_workers(rig: Rig) -> None:
    rig.room.queues.pause(QUEUE)
    (id,) = rig.submit("a", segments=1)
    rig.worker("first")
    rig.app._clock.sleep(1.0)
    assert rig.state(id) == "pending"


def test_the_urgent_run_first_and_the_order_can_be_changed(rig: Rig) -> None:
    rig.room.queues.set_limits(QUEUE, worker_limit=1)
    batch, jobs = rig.app.new_batch(), []
    for name, priority in (("late", 200), ("usual", 100), ("soon", 50), ("last", 100)):
        note = rig.folder / name
        note.write_text(name)
        jobs.append(rig.app.job(DEMO, note, {"segments": 1}, batch_id=batch, item_id=name, priority=priority))
    rig.room.submit(Submission(batch, jobs, rig.output))
    rig.room.control.reprioritise(jobs[0].id, 1)
    rig.worker("first")
    until(lambda: all_completed(rig, [job.id for job in jobs]))
    started = [each.event.job_id for each in rig.told("job.started")]
    assert started == [f"{batch}-{name}" for name in ("late", "soon", "usual", "last")]
    with pytest.raises(UserError, match="only the order of waiting jobs"):
        rig.room.control.reprioritise(jobs[0].id, 1)


def test_a_scheduled_job_begins_at_its_time(rig: Rig) -> None:
    rig.worker("first")
    note = rig.folder / "note"
    note.write_text("")
    job = rig.app.job(DEMO, note, {"segments": 1})
    at = datetime.now(UTC) + timedelta(seconds=3)
    rig.room.submit(Submission(job.batch_id, [job], rig.output, not_before=at))
    until(lambda: rig.state(job.id) == "completed")
    started = rig.job(job.id).report.started_at
    assert started is not None
    assert started - at >= timedelta(seconds=-0.1)


def test_a_key_is_answered_once_and_for_ever(rig: Rig) -> None:
    note = rig.folder / "note"
    note.write_text("")
    batches = []
    for _ in range(2):
        job = rig.app.job(DEMO, note, {"segments": 1})
        batches.append(rig.room.submit(Submission(job.batch_id, [job], rig.output, key="k")))
    assert batches[0] == batches[1]
    other = rig.app.job(DEMO, note, {"segments": 2})
    with pytest.raises(UserError, match="was used for another request"):
        rig.room.submit(Submission(other.batch_id, [other], rig.output, key="k"))


def test_unknown_queues_and_limits_that_contradict_each_other_are_refused(rig: Rig) -> None:
    for verb in (rig.room.queues.pause, rig.room.queues.resume, rig.room.queues.set_limits):
        with pytest.raises(UsageError, match="there is no queue 'nope'; there are: video-rendering"):
            verb("nope")
    with pytest.raises(UsageError, match="there is no queue 'nope'"):
        rig.room.worker(queues=["nope"])
    with pytest.raises(UsageError, match="are more than 1 in all"):
        rig.room.queues.set_limits(QUEUE, worker_limit=2, global_limit=1)
    assert rig.room.queues.reports()[0].global_limit is None
