"""What has happened to a job that really ran: its attempts, stages, events and log."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from databases import NOON
from renderkiln.database import logs
from renderkiln.domain.report import JobReport
from renderkiln.domain.states import JobState

from .conftest import ACCOUNT, ON_ONE, Api

pytestmark = pytest.mark.integration

PLUGINS = str(Path(__file__).parents[1] / "engine" / "plugins")
NAMES = ["gather", "render", "join", "deliver"]


@pytest.fixture(autouse=True)
def _plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(PLUGINS)


def run(api: Api, pipeline: str, params: Mapping[str, Any]) -> JobReport:
    note = api.folder / "note.txt"
    note.write_text("a note")
    job = api.kiln.job(pipeline, note, params, account=ACCOUNT)
    return api.kiln.run(job, output=api.folder / "films")


@ON_ONE
def test_a_completed_job_tells_how_it_went(api: Api) -> None:
    report = run(api, "demo_pipeline:Demo", {"segments": 2})
    assert report.succeeded, report.error
    path = f"/jobs/{report.job.id}"
    (attempt,) = api.data("GET", f"{path}/attempts", scope="read")
    assert (attempt["number"], attempt["outcome"], attempt["error"]) == (1, "completed", None)
    assert attempt["seconds"] > 0
    assert attempt["bytesOut"] > 0
    stages = api.data("GET", f"{path}/stages", scope="read")
    assert [each["name"] for each in stages] == NAMES
    assert {each["state"] for each in stages} == {"completed"}
    assert all(each["startedAt"] <= each["endedAt"] and each["seconds"] > 0 for each in stages)
    seen, after = [], 0
    while after is not None:
        page = api.data("GET", f"{path}/history", scope="read", params={"after": after, "limit": 4})
        seen += [each["name"] for each in page["items"]]
        after = page["nextAfter"]
    assert (seen[0], seen[-1]) == (
        "batch.created" if "batch.created" in seen else "job.created",
        "job.completed",
    )
    assert seen.count("stage.completed") == 4
    assert "its log is not kept" in api.refusal("GET", f"{path}/log")[2]
    for what in ("attempts", "stages", "history", "log"):
        assert str(api.folder) not in api("GET", f"{path}/{what}").text
        assert api.refusal("GET", f"{path}/{what}", key=api.stranger())[:2] == (404, "JOB_NOT_FOUND")


@ON_ONE
def test_a_failed_job_tells_where_and_why(api: Api) -> None:
    report = run(api, "mischief:Mischief", {"mischief": "bug"})
    assert report.error is not None
    path = f"/jobs/{report.job.id}"
    (attempt,) = api.data("GET", f"{path}/attempts", scope="read")
    assert (attempt["outcome"], attempt["error"]["code"]) == ("failed", "INTERNAL")
    stages = api.data("GET", f"{path}/stages", scope="read")
    (failed,) = [each for each in stages if each["state"] == "failed"]
    assert "KeyError" in failed["error"]
    log = api("GET", f"{path}/log", scope="read")
    assert log.headers["content-type"].startswith("text/plain")
    assert "Traceback" in log.text
    assert "KeyError" in log.text
    for folder in (api.folder, sys.prefix, Path(__file__).parents[3] / "src"):
        assert f"{folder}/" not in log.text
    short = api("GET", f"{path}/log", params={"tail": 200}).text
    assert log.text.endswith(short)
    assert 0 < len(short) <= 200


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)  # one that machines can share
def test_the_log_of_a_failure_is_read_from_another_machine(api: Api) -> None:
    id = run(api, "mischief:Mischief", {"mischief": "bug"}).job.id
    here = api("GET", f"/jobs/{id}/log", scope="read").text
    (api.kiln.settings.home / "logs" / f"{id}.log").unlink()
    away = api("GET", f"/jobs/{id}/log", scope="read").text
    assert "KeyError" in away
    assert away == here
    short = api("GET", f"/jobs/{id}/log", params={"tail": 200}).text
    assert away.endswith(short)
    assert 0 < len(short) <= 200
    with api.kiln.database.read() as connection:
        kept = logs.find(connection, id) or ""
    for folder in (api.folder, sys.prefix, Path(__file__).parents[3] / "src"):
        assert f"{folder}/" not in kept


@ON_ONE
def test_a_log_there_is_not_says_why(api: Api) -> None:
    api.add("b-1", "b-2", "b-3")
    api.fail("b-1")
    assert "on another one" in api.refusal("GET", "/jobs/b-1/log")[2]
    assert api.refusal("GET", "/jobs/b-2/log") == (404, "LOG_NOT_FOUND", "job b-2 has not begun")
    assert api.refusal("GET", "/jobs/b-9/log")[:2] == (404, "JOB_NOT_FOUND")
    assert api.data("GET", "/jobs/b-1/stages")[0]["state"] == "waiting"


def test_priority_of_a_waiting_job(api: Api) -> None:
    api.add("b-1", "b-2")
    api.fail("b-2")
    assert api.data("PATCH", "/jobs/b-1", scope="submit", json={"priority": 7})["priority"] == 7
    assert [each.attempt for each in api.kiln.room.tickets.of_job("b-1")] == [1]
    assert api.refusal("PATCH", "/jobs/b-2", json={"priority": 7})[:2] == (409, "CONFLICT")
    assert api.refusal("PATCH", "/jobs/b-1", scope="read", json={"priority": 7})[0] == 403
    for wrong in ({}, {"priority": 0}, {"priority": 7, "state": "failed"}):
        assert api.refusal("PATCH", "/jobs/b-1", json=wrong)[:2] == (422, "INVALID_REQUEST"), wrong


def states(api: Api) -> dict[str, JobState]:
    return {each["id"]: each["state"] for each in api.data("GET", "/jobs", params={"limit": 200})["items"]}


def test_many_jobs_are_cancelled_and_retried_by_what_they_are(api: Api) -> None:
    api.add("b-1", "b-2", "b-3", label="Night train")
    api.add("c-1", "c-2", batch="c", account="another")
    api.fail("b-3")
    body = {"q": "night", "dryRun": True}
    told = api.data("POST", "/jobs/cancel", scope="submit", json=body)
    assert (told["matched"], told["changed"], told["skipped"], told["overBudget"]) == (2, 2, 0, 0)
    assert (told["jobs"], told["nextCursor"]) == (["b-1", "b-2"], None)
    assert states(api)["b-1"] == "pending"
    before = (NOON + timedelta(seconds=1)).isoformat()
    told = api.data("POST", "/jobs/cancel", scope="submit", json={"createdBefore": before})
    assert told["jobs"] == ["b-1"]  # what is another account's was created then, too
    told = api.data("POST", "/jobs/cancel", json={"ids": ["b-2", "b-3", "c-1", "nobody\x00"]})
    assert (told["matched"], told["jobs"]) == (2, ["c-1", "b-2"])
    assert states(api) == {
        "b-1": "cancelled", "b-2": "cancelled", "b-3": "failed", "c-1": "cancelled", "c-2": "pending"
    }  # fmt: skip
    told = api.data("POST", "/jobs/retry", scope="submit", json={"batch": "b", "state": ["failed"]})
    assert told["jobs"] == ["b-3"]
    told = api.data("POST", "/jobs/retry", scope="submit", json={"pipeline": "demo", "fromScratch": True})
    assert set(told["jobs"]) <= {"b-1", "b-2"}
    assert api.data("POST", "/jobs/retry", json={"state": ["completed"]})["matched"] == 0


def test_many_jobs_take_several_calls(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("renderkiln.engine.bulk.MOST", 2)
    api.add(*(f"b-{number}" for number in range(5)))
    calls, cursor = [], None
    while True:
        told = api.data("POST", "/jobs/cancel", json={"batch": "b", "cursor": cursor})
        calls.append((told["matched"], told["changed"]))
        if (cursor := told["nextCursor"]) is None:
            break
    assert calls == [(5, 2), (3, 2), (1, 1)]
    assert set(states(api).values()) == {"cancelled"}


@ON_ONE
def test_many_jobs_are_never_all_jobs_by_mistake(api: Api) -> None:
    api.add("b-1")
    wrongs: list[dict[str, Any]] = [
        {}, {"dryRun": True}, {"ids": []}, {"state": []}, {"q": ""}, {"stat": "x"}, {"state": ["done"]},
        {"createdBefore": "2026-01-01T00:00:00"}, {"ids": ["x"] * 1001}, {"batch": 7},
    ]  # fmt: skip
    for wrong in wrongs:
        for verb in ("cancel", "retry"):
            assert api.refusal("POST", f"/jobs/{verb}", json=wrong)[:2] == (422, "INVALID_REQUEST"), wrong
    assert api.refusal("POST", "/jobs/cancel", scope="read", json={"q": "b"})[0] == 403
    assert api.refusal("POST", "/jobs/cancel", json={"q": "b", "cursor": "x"})[:2] == (404, "PAGE_NOT_FOUND")
    assert states(api) == {"b-1": "pending"}
