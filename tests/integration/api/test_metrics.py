"""What Prometheus reads: true of all processes, and nobody's secrets."""

from __future__ import annotations

import socket
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from databases import NOON, a_job
from renderkiln.database import deliveries, jobs, workers
from renderkiln.database.deliveries import NewDelivery
from renderkiln.database.jobs import NewJob
from renderkiln.database.workers import NewWorker
from renderkiln.domain.clock import SystemClock
from renderkiln.engine.health import url_of
from renderkiln.settings import Settings

from .conftest import QUEUE, Api

pytestmark = pytest.mark.integration


def scraped(api: Api) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample by its name and labels."""
    text = api.client.get("/metrics").raise_for_status().text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def labels(**given: str) -> frozenset[tuple[str, str]]:
    return frozenset(given.items())


def test_how_queues_stand_is_read_from_the_database(api: Api) -> None:
    api.add("b-1", "b-2", "b-3")
    api.fail("b-3")
    now = SystemClock().now()
    later = a_job("c-1", batch_id="b", queue=QUEUE)
    with api.kiln.database.write() as connection:
        jobs.insert(connection, [NewJob(later, 9, Path("/films"), now + timedelta(hours=1))])
        me = NewWorker("w9", "kiln-9", "host", 1, (QUEUE,), 2, started_at=now)
        workers.register(connection, me)
        deliveries.insert(connection, [NewDelivery("job.failed", {}, NOON, handler="mail")] * 2)
    api.kiln.room.queues.reports()  # the first to ask makes tables, and no scrape waits so long
    found = scraped(api)
    here = {"queue": QUEUE}
    assert found["renderkiln_database_up", labels()] == 1
    assert found["renderkiln_jobs", labels(**here, state="pending")] == 3
    assert found["renderkiln_jobs", labels(**here, state="failed")] == 1
    assert found["renderkiln_queue_depth", labels(**here)] == 2  # one is for later
    assert found["renderkiln_queue_oldest_seconds", labels(**here)] > (now - NOON).total_seconds() - 60
    assert found["renderkiln_queue_workers", labels(**here)] == 1
    assert found["renderkiln_queue_depth", labels(queue="audio-rendering")] == 0
    assert found["renderkiln_queue_depth", labels(queue="event-processing")] == 2
    assert found["renderkiln_deliveries", labels(state="waiting")] == 2


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_requests_are_counted_by_operation_and_nobody_can_make_up_labels(api: Api) -> None:
    api.add("b-1")
    api.data("GET", "/jobs/b-1")
    api.refusal("GET", "/jobs/b-2")
    api.client.get("/made-up/by-a-stranger")
    api.client.request("PURGE", "/nothing")
    found = scraped(api)
    for status in ("200", "404"):
        assert found["renderkiln_http_requests_total", labels(operation="getJob", status=status)] == 1
    assert found["renderkiln_http_request_seconds_count", labels(operation="getJob")] == 2
    assert found["renderkiln_http_requests_total", labels(operation="none", status="404")] == 2
    assert not any("made" in value.lower() for _, pairs in found for _, value in pairs)
    text = api.client.get("/metrics").text
    assert not any(secret in text for secret in api.keys.values())
    assert "b-1" not in text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_openmetrics_where_it_is_asked_for(api: Api) -> None:
    answer = api.client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_they_are_on_unless_somebody_switches_them_off() -> None:
    assert Settings.load(environ={}).metrics
    assert not Settings.load(environ={"RENDERKILN_METRICS": "false"}).metrics


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_without_a_worker_it_has_done_nothing_and_one_that_is_silent_is_no_health(api: Api) -> None:
    health = api.client.get("/health")
    assert health.status_code == 200
    assert {**health.json(), "uptime": 0} == {
        "status": "ok",
        "uptime": 0,
        "activeJobs": 0,
        "queueConnected": True,
    }
    stats = api.client.get("/stats").json()
    assert stats.pop("uptime") >= 0
    assert set(stats.values()) == {0}
    assert len(stats) == 5
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        api.app.state.worker = url_of(nobody)
        health = api.client.get("/health")
        assert (health.status_code, health.json()["status"]) == (503, "degraded")
        assert api.client.get("/stats").status_code == 503
