from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderkiln.domain.artifact import Artifact
from renderkiln.domain.errors import UsageError
from renderkiln.domain.job import Job, job_id, new_batch_id
from renderkiln.domain.report import JobError, JobReport

NOON = datetime(2026, 1, 27, 12, tzinfo=UTC)
PLAIN = st.text("abcXYZ019_.", min_size=1, max_size=64)
ITEM = st.text("abcXYZ019_.-", min_size=1, max_size=128)


@given(PLAIN, ITEM, PLAIN)
def test_an_id_names_its_three_parts_without_doubt(batch: str, item: str, format: str) -> None:
    first, _, rest = job_id(batch, item, format).partition("-")
    middle, _, last = rest.rpartition("-")
    assert (first, middle, last) == (batch, item, format)


def test_without_a_format_the_id_is_batch_and_item() -> None:
    assert job_id("b", "1") == "b-1"


@pytest.mark.parametrize("item", ["", "../x", "a b", "a\nb", "ä", "x" * 129, "a/b"])
def test_what_has_no_place_in_an_id_is_refused(item: str) -> None:
    with pytest.raises(UsageError, match="is no item id"):
        job_id("b", item)


def test_batch_ids_sort_by_time_and_differ() -> None:
    ids = [new_batch_id(NOON + timedelta(minutes=minute)) for minute in range(100)]
    assert ids == sorted(ids)
    assert len({new_batch_id(NOON) for _ in range(100)}) == 100
    assert job_id(ids[0], "1", "4k") == f"{ids[0]}-1-4k"


def test_the_report_in_json_has_the_keys_that_clients_know() -> None:
    job = Job("b-1-4k", "b", "1", "visualizer", "video-rendering", {}, (Path("a"),), NOON, metadata={"my": 1})
    film = Artifact("video", Path("/out/film.mp4"), 7, "ab", "video/mp4")
    report = JobReport(job).move("start", attempt=1, started_at=NOON, processed_at=NOON)
    done = report.move("complete", completed_at=NOON, artifacts=(film,), result={"frames": 1}, progress=100.0)
    assert json.loads(json.dumps(done.to_json())) == {
        "id": "b-1-4k",
        "batchId": "b",
        "label": "",
        "pipeline": "visualizer",
        "queue": "video-rendering",
        "state": "completed",
        "stage": None,
        "progress": 100.0,
        "message": "",
        "attempt": 1,
        "maxAttempts": 3,
        "worker": None,
        "priority": 100,
        "createdAt": "2026-01-27T12:00:00.000Z",
        "startedAt": "2026-01-27T12:00:00.000Z",
        "processedAt": "2026-01-27T12:00:00.000Z",
        "completedAt": "2026-01-27T12:00:00.000Z",
        "error": None,
        "result": {"frames": 1},
        "artifacts": [
            {
                "id": "b-1-4k-1",
                "name": "film.mp4",
                "path": "/out/film.mp4",
                "size": 7,
                "sha256": "ab",
                "facts": {},
                "contentType": "video/mp4",
                "kind": "video",
            }
        ],
        "metadata": {"my": 1},
        "warnings": [],
        "reused": [],
        "leftOut": [],
        "cost": None,
    }
    failed = report.move("fail", error=JobError("DISK_FULL", "no space"), warnings={"silent": "No sound"})
    assert failed.to_json()["error"] == {"code": "DISK_FULL", "message": "no space"}
    assert failed.to_json()["warnings"] == [{"code": "silent", "message": "No sound"}]
