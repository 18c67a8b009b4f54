"""What a worker says it has done."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from renderkiln.domain.event import Event, EventName
from renderkiln.engine.statistics import Statistics
from renderkiln.testing import FakeClock

Say = Callable[..., None]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def statistics(clock: FakeClock) -> Statistics:
    return Statistics(clock)


@pytest.fixture
def say(statistics: Statistics, clock: FakeClock) -> Say:
    def say(name: EventName, job: str = "a", stage: str | None = None, **facts: Any) -> None:
        statistics.hear(Event(name, job, clock.now(), 0.0, stage, "", facts))

    return say


def test_nothing_was_done_yet(statistics: Statistics, clock: FakeClock) -> None:
    clock.advance(2.5)
    assert statistics.to_json() == {
        "totalProcessed": 0,
        "successCount": 0,
        "failureCount": 0,
        "averageProcessingTime": 0,
        "uptime": 2500,
        "retries": 0,
        "cancelled": 0,
        "handedBack": 0,
        "stages": {},
    }


def test_a_job_is_processed_when_it_completed_or_failed_and_a_retry_is_no_failure(
    statistics: Statistics, clock: FakeClock, say: Say
) -> None:
    say("job.started", "a")
    clock.advance(1)
    say("job.retrying", "a", seconds=10.0)
    clock.advance(10)
    say("job.started", "a")
    say("job.started", "b")
    clock.advance(2)
    say("job.completed", "a")
    clock.advance(2)
    say("job.failed", "b")
    for job, end in (("c", "job.cancelled"), ("d", "job.handed_back"), ("e", "job.taken_over")):
        say("job.started", job)
        clock.advance(100)
        say(end, job)
    counted = statistics.to_json()
    assert (counted["totalProcessed"], counted["successCount"], counted["failureCount"]) == (2, 1, 1)
    assert (counted["retries"], counted["cancelled"], counted["handedBack"]) == (1, 1, 1)
    assert counted["averageProcessingTime"] == 3000  # of 2 s and 4 s: neither the wait nor the first attempt


def test_stages_are_timed_by_pipeline(statistics: Statistics, say: Say) -> None:
    say("job.started", "a", pipeline="visualizer")
    say("job.started", "b", pipeline="scenes")
    say("stage.completed", "a", "render", seconds=2.0, cpu_seconds=3.0, peak_bytes=1)
    say("stage.completed", "a", "render", seconds=4.0, cpu_seconds=5.0, peak_bytes=1)
    say("stage.completed", "b", "render", seconds=0.0015, cpu_seconds=0.0, peak_bytes=None)
    assert statistics.to_json()["stages"] == {
        "visualizer": {"render": {"count": 2, "averageTime": 3000, "maxTime": 4000, "cpuTime": 8000}},
        "scenes": {"render": {"count": 1, "averageTime": 2, "maxTime": 2, "cpuTime": 0}},
    }


def test_events_may_come_from_many_threads(statistics: Statistics, say: Say) -> None:
    def life(number: int) -> None:
        say("job.started", str(number), pipeline="p")
        say("stage.completed", str(number), "s", seconds=1.0, cpu_seconds=1.0)
        say("job.completed", str(number))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(life, range(2000)))
    assert statistics.to_json()["successCount"] == 2000
    assert statistics.to_json()["stages"]["p"]["s"]["count"] == 2000


def test_an_end_whose_beginning_was_not_heard_counts_but_is_not_timed(
    statistics: Statistics, say: Say
) -> None:
    say("job.completed", "a")
    assert statistics.to_json()["successCount"] == 1
    assert statistics.to_json()["averageProcessingTime"] == 0
