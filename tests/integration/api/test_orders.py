"""What is ordered over HTTP becomes jobs, once, and nobody sees another's."""

from __future__ import annotations

import base64
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from renderkiln.database import assets
from renderkiln.domain.access import Scope
from renderkiln.settings import Settings

from .conftest import ACCOUNT, ON_ONE, Api

pytestmark = pytest.mark.integration

URL = "https://example.com/music/song.mp3?signature=secret"
SCRIPT = {"script": "Breathe in."}


def order(**changes: Any) -> dict[str, Any]:
    return {"pipeline": "visualizer", "assets": [URL], **changes}


def test_a_job_is_queued_with_all_that_was_said(api: Api) -> None:
    answer = api("POST", "/jobs", scope="submit", json=order(
        params={"quality": "draft"}, format="4k", priority=7, metadata={"order": [7, "ü"]}
    ))  # fmt: skip
    assert answer.status_code == 202
    told = answer.json()["data"]
    assert answer.headers["location"] == f"/api/v1/jobs/{told['id']}"
    assert told["id"] == f"{told['batchId']}-1-4k"
    assert (told["state"], told["priority"], told["metadata"]) == ("pending", 7, {"order": [7, "ü"]})
    stored = api.kiln.room.job(told["id"])
    assert stored.report.job.inputs == (URL,)
    assert stored.report.job.params["format"] == "4k"
    assert stored.report.job.label == "song.mp3 4k"
    assert stored.report.job.account == ACCOUNT
    assert [each.attempt for each in api.kiln.room.tickets.of_job(told["id"])] == [1]


def test_a_batch_is_each_file_in_each_format(api: Api) -> None:
    files = [URL, {"asset": URL, "id": "intro", "label": "Intro", "metadata": {"track": 2}}]
    body = order(assets=files, formats=["1080p", "4k"], metadata={"album": 1}, label="an album")
    told = api.data("POST", "/batches", scope="submit", json=body)
    batch = told["batchId"]
    assert told["jobs"] == [
        f"{batch}-1-1080p", f"{batch}-1-4k", f"{batch}-intro-1080p", f"{batch}-intro-4k"
    ]  # fmt: skip
    jobs = [api.kiln.room.job(id).report.job for id in told["jobs"]]
    assert [job.label for job in jobs] == ["song.mp3 1080p", "song.mp3 4k", "Intro 1080p", "Intro 4k"]
    assert [job.metadata for job in jobs[1:3]] == [{"album": 1}, {"album": 1, "track": 2}]
    known = api.data("GET", f"/batches/{batch}", scope="read")
    assert (known["label"], known["total"], known["metadata"]) == ("an album", 4, {"album": 1})


def test_an_item_may_have_a_format_of_its_own(api: Api) -> None:
    files = [{"asset": URL, "id": "song", "format": each} for each in ("1080p", "4k")]
    body = order(assets=[*files, {"asset": URL, "id": "b"}], formats=["360stereo"])
    told = api.data("POST", "/batches", scope="submit", json=body)
    batch = told["batchId"]
    assert told["jobs"] == [f"{batch}-song-1080p", f"{batch}-song-4k", f"{batch}-b-360stereo"]
    jobs = [api.kiln.room.job(id).report.job for id in told["jobs"]]
    assert [(job.label, job.params["format"]) for job in jobs] == [
        ("song.mp3 1080p", "1080p"), ("song.mp3 4k", "4k"), ("song.mp3 360stereo", "360stereo")
    ]  # fmt: skip
    wrong = order(assets=[{"asset": URL, "format": "8k"}])
    assert api.refusal("POST", "/batches", json=wrong)[:2] == (422, "INVALID_REQUEST")


def test_items_may_have_params_of_their_own(api: Api) -> None:
    items = [{"params": {"script": text}, "id": id} for id, text in (("a", "One."), ("b", "Two."))]
    told = api.data("POST", "/batches", json={
        "pipeline": "narration", "params": {"voice": "espeak:de"}, "assets": items
    })  # fmt: skip
    jobs = [api.kiln.room.job(id).report.job for id in told["jobs"]]
    assert [(job.params["script"], job.params["voice"]) for job in jobs] == [
        ("One.", "espeak:de"),
        ("Two.", "espeak:de"),
    ]


@ON_ONE
@pytest.mark.parametrize(
    ("body", "field", "word"),
    [
        (order(assets=["/etc/passwd"]), "body.assets.0", "paths of the server"),
        (order(assets=["file:///etc/passwd"]), "body.assets.0", "paths of the server"),
        (order(assets=["../../x"]), "body.assets.0", "paths of the server"),
        (order(assets=["http://u:p@example.com/x"]), "body.assets.0", "example.com"),
        (order(assets=[]), "body.assets", "takes a file"),
        (order(pipeline="os:system"), "body.pipeline", "pattern"),
        (order(pipeline="visualiser"), "body.pipeline", "no pipeline"),
        (order(params={"fps": 31}), "body.params.fps", "24"),
        (order(params={"formt": "4k"}), "body.params.formt", "did you mean format?"),
        (order(format="8k"), "body.format", "4k"),
        (order(assets=["http://127.0.0.1/x"]), "body.assets.0", "private_urls"),
        (order(assets=["http://[::1]:8080/x"]), "body.assets.0", "private_urls"),
        (order(metadata={"x": "y" * 20_000}), "body.metadata", "16,384"),
        (order(metadata={"x": "\x00"}), "body.metadata", "NUL"),
        (order(metadata={"x": json.loads("[" * 70 + "]" * 70)}), "body.metadata", "deeper"),
        (order(params={"look": json.loads("[" * 200 + "]" * 200)}), "body.params", "deeper"),
        (order(startAt="0001-01-01T00:00:00+14:00"), "body.startAt", "no time"),
        (order(startAt="9999-12-31T23:59:59-14:00"), "body.startAt", "no time"),
        (order(priority=0), "body.priority", "greater"),
        (order(label="a\nb"), "body.label", "on one line"),
        (order(unknown=1), "body.unknown", "not permitted"),
        ({"pipeline": "narration", "params": SCRIPT, "assets": [URL]}, "body.assets", "takes no file"),
        ({"pipeline": "narration", "params": {"voice": "file:/etc/x"}}, "body.params", "path on the server"),
        (
            {"pipeline": "narration", "params": {**SCRIPT, "layers": {"background": {"track": "/x.mp3"}}}},
            "body.params",
            "path on the server",
        ),
        (
            {"pipeline": "scenes", "params": {"project": {"scenes": [{"duration": 1}]}, "folder": "/etc"}},
            "body.params",
            "path on the server",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_order_is_named(api: Api, body: dict[str, Any], field: str, word: str) -> None:
    answer = api("POST", "/jobs", json=body)
    error = answer.json()["error"]
    assert answer.status_code == 422, error
    assert error["details"][0]["field"] == field
    assert word in error["message"]
    assert api.data("GET", "/jobs")["items"] == []


@ON_ONE
@pytest.mark.parametrize(
    ("changes", "field", "word"),
    [
        ({"formats": ["4k", "4k"]}, "body.formats", "twice"),
        ({"assets": [{"asset": URL, "id": "a"}, {"asset": URL, "id": "a"}]}, "body.assets.1.id", "earlier"),
        ({"assets": [URL, {"asset": URL, "params": {"fsp": 30}}]}, "body.assets.1.params.fsp", "fps?"),
        ({"assets": [{"asset": URL, "format": "8k"}]}, "body.assets.0.format", "4k"),
    ],
)
def test_what_is_wrong_with_a_batch_is_named(
    api: Api, changes: dict[str, Any], field: str, word: str
) -> None:
    answer = api("POST", "/batches", json=order(**changes))
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["details"][0]["field"]) == (
        422,
        "INVALID_REQUEST",
        field,
    )
    assert word in error["message"]


@ON_ONE
def test_what_is_wrong_with_a_document_is_named_where_it_stands(api: Api) -> None:
    scenes = {"scenes": [{"id": "one", "duratoin": 1}]}
    answer = api("POST", "/jobs", json={"pipeline": "scenes", "params": {"project": scenes}})
    assert answer.status_code == 422
    (wrong,) = answer.json()["error"]["details"]
    assert wrong["field"] == "body.params.project.scenes[0] (one).duratoin"
    scenes = {"scenes": [{"id": "one", "duration": 1}]}
    made = api.data("POST", "/projects", json={"document": scenes})
    answer = api("POST", f"/projects/{made['id']}/render", json={"scenes": ["onne"]})
    assert answer.status_code == 422
    (wrong,) = answer.json()["error"]["details"]
    assert (wrong["field"], wrong["message"]) == (
        "body.scenes", 'there is no scene "onne"; did you mean one?'
    )  # fmt: skip


def test_a_key_for_once_is_done_once(api: Api) -> None:
    once = {"Idempotency-Key": "order-7"}
    first = api.data("POST", "/batches", json=order(), headers=once)
    assert api.data("POST", "/batches", json=order(), headers=once) == first
    refused = api.refusal("POST", "/batches", json=order(params={"seed": 2}), headers=once)
    assert refused[:2] == (422, "IDEMPOTENCY_KEY_REUSED")
    assert "'order-7'" in refused[2]
    other = api.data("POST", "/batches", json=order(), headers=once, key=api.stranger())
    assert other["batchId"] != first["batchId"]  # another account's key is another key


def test_many_at_once_with_one_key_are_one(api: Api) -> None:
    told: list[Any] = []

    def submit() -> None:
        told.append(api("POST", "/jobs", json=order(), headers={"Idempotency-Key": "k"}).json())

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    ids = {each["data"]["id"] for each in told if each["success"]}
    assert len(ids) == 1
    assert all(each["success"] or each["error"]["code"] == "CONFLICT" for each in told)
    assert len(api.data("GET", "/jobs")["items"]) == 1


def test_nobody_sees_or_steers_what_is_another_accounts(api: Api) -> None:
    mine = api.data("POST", "/jobs", scope="submit", json=order())
    other: dict[str, Any] = {"key": api.stranger()}
    assert api.data("GET", "/jobs", **other)["items"] == []
    assert api.data("GET", "/batches", **other)["items"] == []
    for method, path in (
        ("GET", f"/jobs/{mine['id']}"),
        ("POST", f"/jobs/{mine['id']}/cancel"),
        ("POST", f"/jobs/{mine['id']}/retry"),
        ("GET", f"/jobs/{mine['id']}/artifacts/1"),
        ("GET", f"/batches/{mine['batchId']}"),
        ("POST", f"/batches/{mine['batchId']}/cancel"),
        ("POST", f"/batches/{mine['batchId']}/retry"),
    ):
        assert api.refusal(method, path, **other)[0] == 404, path
    everybody: Scope = "admin"
    assert api.data("GET", f"/jobs/{mine['id']}", key=api.stranger(everybody))["id"] == mine["id"]


def test_open_jobs_of_an_account_have_a_limit(api: Api) -> None:
    fields = Settings.model_fields
    assert fields["max_open_jobs"].default == 10_000
    api.kiln.settings = api.kiln.settings.model_copy(update={"max_open_jobs": 3, "max_batch": 3})
    api.data("POST", "/batches", json=order(assets=[URL, URL]))
    answer = api("POST", "/batches", json=order(assets=[URL, URL]))
    assert answer.status_code == 429
    assert answer.json()["error"]["code"] == "TOO_MANY_JOBS"
    assert answer.headers["retry-after"] == "60"
    assert api.refusal("POST", "/batches", json=order(assets=[URL] * 4))[0] == 422
    api.data("POST", "/batches", json=order(), key=api.stranger())  # of this account, not of all


def test_assets_are_taken_by_their_own_account_only(api: Api, tmp_path: Path) -> None:
    captions = tmp_path / "a.srt"
    captions.write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n")
    asset = api.upload(captions)
    job = api.data("POST", "/jobs", json=order(assets=[asset["id"]]))
    assert api.kiln.room.job(job["id"]).report.job.inputs == (f"asset:{asset['id']}",)
    assert api.kiln.room.job(job["id"]).report.job.label == "a.srt"
    stranger = api.stranger()
    assert api.refusal("POST", "/jobs", json=order(assets=[asset["id"]]), key=stranger)[:2] == (
        404,
        "ASSET_NOT_FOUND",
    )
    named = {"script": "x", "layers": {"background": {"track": f"asset:{asset['id']}"}}}
    narration = {"pipeline": "narration", "params": named}
    assert api.refusal("POST", "/jobs", json=narration, key=stranger)[1] == "ASSET_NOT_FOUND"
    assert api.refusal("DELETE", f"/assets/{asset['id']}")[:2] == (409, "ASSET_IN_USE")
    api("POST", f"/jobs/{job['id']}/cancel")
    assert api("DELETE", f"/assets/{asset['id']}").status_code == 204
    assert api.refusal("GET", f"/assets/{asset['id']}")[:2] == (404, "ASSET_NOT_FOUND")


@ON_ONE
def test_a_job_may_name_who_is_told(api: Api) -> None:
    body = order(webhookUrl="https://example.com/hook")
    once = {"Idempotency-Key": "k"}
    told = api.data("POST", "/jobs", json=body, headers=once)
    assert told["webhookSecret"].startswith("whsec_")
    assert api.data("POST", "/jobs", json=body, headers=once)["webhookSecret"] is None  # shown once
    (hook,) = api.kiln.webhooks.list(job_id=told["id"])
    assert (hook.url, hook.secret, hook.account) == (body["webhookUrl"], told["webhookSecret"], ACCOUNT)
    own = "whsec_" + base64.b64encode(b"a" * 32).decode()
    batch = api.data("POST", "/batches", json=order(**{**body, "webhookSecret": own}))
    assert batch["webhookSecret"] == own
    assert [each.batch_id for each in api.kiln.webhooks.list(batch_id=batch["batchId"])] == [batch["batchId"]]
    for field, wrong in (
        ("webhookUrl", order(webhookUrl="http://127.0.0.1/x")),
        ("webhookUrl", order(webhookUrl="http://[::ffff:10.0.0.1]/")),
        ("webhookUrl", order(webhookUrl="ftp://example.com/")),
        ("webhookSecret", order(webhookUrl="https://example.com/", webhookSecret="short")),
        ("webhookSecret", order(webhookSecret=own)),
    ):
        answer = api("POST", "/jobs", json=wrong)
        assert answer.status_code == 422
        assert answer.json()["error"]["details"][0]["field"] == f"body.{field}"


@ON_ONE
def test_many_things_that_are_wrong_are_told_in_few_words(api: Api) -> None:
    answer = api("POST", "/batches", json={"pipeline": "visualizer", "assets": [1] * 100_000})
    assert answer.status_code == 422
    assert len(answer.content) < 20_000


@ON_ONE
def test_an_asset_that_jobs_use_keeps_what_is_known_of_it(api: Api, tmp_path: Path) -> None:
    captions = tmp_path / "a.srt"
    captions.write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n")
    asset = api.upload(captions)
    storage, stop = api.kiln.storage.private, threading.Event()
    with api.kiln.database.read() as connection:
        found = assets.find(connection, asset["id"])
    assert found is not None
    before = storage.head(found.storage_key)
    for _ in range(2):
        brought = api.kiln.assets.bring(f"asset:{asset['id']}", stop=stop, tell=lambda _: None)
    assert brought.path.read_bytes() == captions.read_bytes()
    api.kiln.stores.sweep(-1)
    assert storage.head(found.storage_key) == before
    brought.path.unlink()
    brought.path.write_bytes(b"half")  # as a power cut leaves it
    again = api.kiln.assets.bring(f"asset:{asset['id']}", stop=stop, tell=lambda _: None)
    assert again.path.read_bytes() == captions.read_bytes()
