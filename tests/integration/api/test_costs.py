"""Estimates and costs over HTTP."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from audio_truth import write_wav
from databases import NOON, a_job
from renderkiln.database import attempts, costs
from renderkiln.domain.cost import Cost
from renderkiln.domain.work import Work

from .conftest import ON_ONE, Api

pytestmark = pytest.mark.integration

WISH = {"pipeline": "visualizer", "params": {"format": "preview"}, "inputs": [{"seconds": 10}]}
JSON = {"Content-Type": "application/json"}
KIND = "visualizer flame preview balanced h264"


def test_an_estimate_is_a_guess_until_such_jobs_were_made(api: Api) -> None:
    found = api.data("POST", "/estimates", json=WISH, scope="read")
    assert (found["kind"], found["units"], found["basis"], found["samples"]) == (KIND, 300, "guess", 0)
    api.add("b-1")
    with api.kiln.database.write() as connection:
        attempts.begin(connection, "b-1", 1, "w1", "kiln-1", NOON)
        used: Any = {"seconds": 5.0, "cpu_seconds": 9.0, "bytes_out": 1000}
        work = Work(KIND, 150.0, "frame")
        attempts.end(connection, "b-1", 1, outcome="completed", work=work, now=NOON, **used)
    found = api.data("POST", "/estimates", json=WISH, scope="read")
    assert (found["basis"], found["samples"]) == ("measured", 1)
    assert found["seconds"] == {"low": 10.0, "typical": 10.0, "high": 10.0}
    assert (found["cpuSeconds"]["typical"], found["bytes"]["typical"]) == (18.0, 2000.0)


@ON_ONE
def test_an_uploaded_file_is_known_by_what_it_was_when_it_came(api: Api) -> None:
    song = write_wav(api.folder / "song.wav", np.zeros((2, 16_000), np.float32), rate=8000)
    asset = api.upload(song)
    wish = {"pipeline": "visualizer", "params": {"fps": 50}, "assets": [asset["id"]]}
    assert api.data("POST", "/estimates", json=wish, scope="read")["units"] == 100
    headers = {"Authorization": f"Bearer {api.stranger()}"}
    refusal = api.refusal("POST", "/estimates", json=wish, scope=None, headers=headers)
    assert refusal[:2] == (404, "ASSET_NOT_FOUND")


@ON_ONE
def test_an_order_is_estimated_as_it_is(api: Api) -> None:
    one = {"pipeline": "visualizer", "params": {"fps": 30}, "inputs": [{"seconds": 10}]}
    more = {"webhookUrl": "https://example.com/x", "metadata": {"a": 1}, "label": "x", "priority": 7}
    job = api.data("POST", "/estimates", json={**one, **more, "format": "preview"}, scope="read")
    assert (job["jobs"], job["kind"], job["units"]) == (1, KIND, 300)
    batch = {**one, "inputs": [{"seconds": 10}, {"seconds": 20}], "formats": ["preview", "720p"], **more}
    found = api.data("POST", "/estimates", json=batch, scope="read")
    assert (found["jobs"], found["kind"], found["units"], found["basis"]) == (4, "2 kinds", 1800, "guess")
    wrong = api("POST", "/estimates", json={**one, "params": {"fsp": 30}}, scope="read").json()["error"]
    assert wrong["details"] == [{"field": "body.params.fsp", "message": "unknown field; did you mean fps?"}]


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"pipeline": "../etc"},
        {"pipeline": "os:system"},
        {"pipeline": "nobody"},
        {"pipeline": "visualizer", "params": {"format": "8k"}},
        {"pipeline": "visualizer", "params": {"nonsense": 1}},
        {"pipeline": "visualizer", "inputs": [{"seconds": -1}]},
        {"pipeline": "visualizer", "inputs": [{"seconds": "NaN"}]},
        {"pipeline": "visualizer", "inputs": [{"path": "/etc/passwd"}]},
        {"pipeline": "narration", "params": {"script": "[pause 99x] \ud800?"}},
        {"pipeline": "narration", "params": {"script": "…"}},
        {"pipeline": "narration", "params": {"script": "Hello", "voice": "nobody:x"}},
        {"pipeline": "scenes", "params": {"project": {"scenes": []}}},
    ],
)
@ON_ONE
def test_what_is_wrong_with_a_wish_is_told(api: Api, wish: Any) -> None:
    status, code, message = api.refusal("POST", "/estimates", content=json.dumps(wish), headers=JSON)
    assert (status, code) == (422, "INVALID_REQUEST")
    assert message


def test_costs_are_told_with_jobs_and_batches_and_summed_for_admins(api: Api) -> None:
    api.add("b-1")
    cost = Cost("USD", cpu=1_500_000, services=20_000_000)
    with api.kiln.database.write() as connection:
        costs.insert(connection, a_job("b-1"), 1, "ann", cost, NOON)
    api.fail("b-1")
    told = {
        "currency": "USD",
        "total": 0.0215,
        "cpu": 0.0015,
        "stored": 0.0,
        "sent": 0.0,
        "services": 0.02,
    }
    assert api.data("GET", "/jobs/b-1")["cost"] == told
    assert api.data("GET", "/batches/b")["cost"] == told
    for by, name in (("account", "ann"), ("pipeline", "visualizer"), ("day", "2026-01-27")):
        (spent,) = api.data("GET", "/costs", params={"by": by})
        assert spent == {"name": name, "jobs": 1, "attempts": 1, "cost": told}
    later = {"by": "day", "since": "2026-01-27T12:00:01"}
    assert api.data("GET", "/costs", params=later) == []
    assert api.refusal("GET", "/costs", scope="submit")[:2] == (403, "FORBIDDEN")
    assert api.refusal("GET", "/costs", params={"by": "secret"})[0] == 422
