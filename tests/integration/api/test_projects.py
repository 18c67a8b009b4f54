"""Projects and their scenes over HTTP: kept apart by account, changed by many at once, rendered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from databases import rows
from renderkiln.database import schema

from .conftest import ACCOUNT, ON_ONE, Api

pytestmark = pytest.mark.integration

INTRO = {"id": "intro", "duration": 2, "layers": [{"type": "text", "text": "Ünï \U0001fa81"}]}
OUTRO = {"id": "outro", "duration": 1}
FILM = {"title": "The kite", "fps": 25, "scenes": [INTRO, OUTRO]}
URL = "https://example.com/sea.png?signature=secret"


def made(api: Api, document: dict[str, Any] | None = None, **rest: Any) -> str:
    id: str = api.data("POST", "/projects", scope="submit", json={"document": document or FILM}, **rest)["id"]
    return f"/projects/{id}"


def test_a_project_is_kept_changed_and_forgotten(api: Api) -> None:
    answer = api("POST", "/projects", scope="submit", json={"document": FILM})
    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    told = answer.json()["data"]
    path = f"/projects/{told['id']}"
    assert answer.headers["location"] == f"/api/v1{path}"
    assert (told["name"], told["scenes"], told["revision"]) == ("The kite", 2, 1)
    assert "folder" not in told
    assert api.data("GET", path, scope="read")["document"] == FILM
    assert [each["id"] for each in api.data("GET", "/projects", scope="read")["items"]] == [told["id"]]
    renamed = api("PATCH", path, scope="submit", json={"name": " Kite "}, headers={"If-Match": '"1"'})
    assert (renamed.json()["data"]["name"], renamed.headers["etag"]) == ("Kite", '"2"')
    replaced = api.data("PUT", path, scope="submit", json={"document": {**FILM, "scenes": [OUTRO]}})
    assert (replaced["scenes"], replaced["revision"], replaced["name"]) == (1, 3, "Kite")
    assert api("DELETE", path, scope="submit", headers={"If-Match": '"3"'}).status_code == 204
    assert api.refusal("GET", path)[:2] == (404, "PROJECT_NOT_FOUND")
    assert api.data("GET", "/projects")["items"] == []


def test_scenes_are_added_changed_moved_and_removed(api: Api) -> None:
    path = made(api)
    new = api(
        "POST",
        f"{path}/scenes",
        scope="submit",
        json={"scene": {"duration": 4}, "at": 1},
        headers={"If-Match": '"1"'},
    )
    assert (new.status_code, new.headers["etag"]) == (201, '"2"')
    id = new.json()["data"]["id"]
    assert new.headers["location"] == f"/api/v1{path}/scenes/{id}"
    assert api.data("GET", f"{path}/scenes/{id}", scope="read")["scene"]["duration"] == 4
    moved = api.data("PATCH", f"{path}/scenes/{id}", scope="submit", json={"position": 3})
    assert moved["position"] == 3
    changed = api.data("PUT", f"{path}/scenes/{id}", scope="submit", json={"scene": {"duration": 5}})
    assert changed["scene"] == {"id": id, "duration": 5}
    assert api("DELETE", f"{path}/scenes/intro", scope="submit").status_code == 204
    assert [each["id"] for each in api.data("GET", f"{path}/scenes", scope="read")] == ["outro", id]
    told = [row["name"] for row in rows(api.kiln.database, schema.events) if row["name"].startswith("scene.")]
    assert told == ["scene.created"] * 3 + ["scene.moved", "scene.updated", "scene.removed"]
    for method in ("GET", "DELETE"):
        assert api.refusal(method, f"{path}/scenes/intro")[:2] == (404, "SCENE_NOT_FOUND")
    assert api.refusal("PATCH", f"{path}/scenes/{id}", json={"position": 9})[:2] == (422, "INVALID_REQUEST")


def test_who_saw_an_older_revision_changes_nothing(api: Api) -> None:
    path, seen = made(api), {"If-Match": '"1"'}
    api.data("POST", f"{path}/scenes", json={"scene": {"duration": 1}})
    for method, at, body in [
        ("PUT", "", {"document": FILM}),
        ("PATCH", "", {"name": "Late"}),
        ("DELETE", "", None),
        ("POST", "/render", {}),
        ("POST", "/scenes", {"scene": {"duration": 1}}),
        ("PUT", "/scenes/intro", {"scene": {"duration": 1}}),
        ("PATCH", "/scenes/intro", {"position": 2}),
        ("DELETE", "/scenes/intro", None),
    ]:
        refusal = api.refusal(method, path + at, scope="submit", json=body, headers=seen)
        assert refusal[:2] == (412, "STALE_REVISION"), (method, at)
    whole = api("GET", path)
    assert (whole.json()["data"]["revision"], whole.headers["etag"]) == (2, '"2"')
    assert api.data("GET", "/jobs")["items"] == []
    assert api("PATCH", path, json={"name": "Any"}, headers={"If-Match": "*"}).status_code == 200
    assert api.refusal("PATCH", path, json={"name": "x"}, headers={"If-Match": "1"})[0] == 412


def test_projects_are_their_accounts(api: Api) -> None:
    path = made(api)
    local = api.kiln.projects.create({"scenes": [{"duration": 1}]}, Path("/films"), name="of this machine")
    stranger = api.stranger()
    assert api.data("GET", "/projects", key=stranger)["items"] == []
    assert len(api.data("GET", "/projects", scope="submit")["items"]) == 1
    assert len(api.data("GET", "/projects", scope="admin")["items"]) == 2
    assert "/films" not in api("GET", "/projects").text
    for whose, key in (
        (path, stranger),
        (f"/projects/{local.id}", stranger),
        (f"/projects/{local.id}", api.keys["submit"]),
    ):
        for method, at, body in [
            ("GET", "", None),
            ("PUT", "", {"document": FILM}),
            ("PATCH", "", {"name": "Mine"}),
            ("DELETE", "", None),
            ("POST", "/render", {}),
            ("GET", "/scenes", None),
            ("POST", "/scenes", {"scene": {"duration": 1}}),
            ("GET", "/scenes/intro", None),
            ("PUT", "/scenes/intro", {"scene": {"duration": 1}}),
            ("DELETE", "/scenes/intro", None),
        ]:
            refusal = api.refusal(method, whose + at, key=key, json=body)
            assert refusal[:2] == (404, "PROJECT_NOT_FOUND"), (method, whose, at)
    assert api.data("GET", path)["revision"] == 1


@ON_ONE
def test_a_document_names_no_file_of_the_server(api: Api) -> None:
    api.data("POST", "/projects", json={"document": {"scenes": []}})
    picture = {"duration": 1, "background": {"type": "image", "file": "/etc/passwd"}}
    answer = api("POST", "/projects", json={"document": {"scenes": [OUTRO, {**picture, "id": "sea"}]}})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "INVALID_REQUEST")
    (detail,) = error["details"]
    assert detail["field"] == "body.document.scenes[1] (sea).background.file"
    assert "path on the server" in detail["message"]
    path = made(
        api, {"music": {"file": URL}, "scenes": [{**picture, "background": {"type": "image", "file": URL}}]}
    )
    for scene in (
        picture,
        {"duration": 1, "voice": {"file": "../voice.wav"}},
        {"duration": 1, "layers": [{"type": "video", "file": "file:///etc/passwd"}]},
        {"duration": 1, "layers": [{"type": "captions", "file": "a.srt"}]},
    ):
        assert "path on the server" in api.refusal("POST", f"{path}/scenes", json={"scene": scene})[2], scene
        assert "path on the server" in api.refusal("PUT", f"{path}/scenes/scene-1", json={"scene": scene})[2]
    local = api.kiln.projects.create({"scenes": [picture]}, Path("/etc"))
    assert "path on the server" in api.refusal("POST", f"/projects/{local.id}/render")[2]


@ON_ONE
def test_what_is_wrong_with_a_project_is_told_with_its_place(api: Api) -> None:
    path = made(api)
    for body, word in [
        ({"document": {"scenes": [{"duration": -1}]}}, "scenes[0].duration"),
        ({"document": {"scenes": [], "nonsense": 1}}, "nonsense"),
        ({"document": {"scenes": [INTRO, INTRO]}}, "intro"),
        ({"document": []}, "body.document"),
        ({"document": {"title": "a\x00b"}}, "body.document"),
        ({"document": FILM, "name": "a\nb"}, "body.name"),
        ({"document": FILM, "name": " "}, "name of a project"),
        ({}, "body.document"),
    ]:
        status, code, message = api.refusal("POST", "/projects", json=body)
        assert (status, code) == (422, "INVALID_REQUEST"), body
        assert word in message
    assert "duration" in api.refusal("PUT", f"{path}/scenes/intro", json={"scene": {"duration": 0}})[2]
    assert "outro" in api.refusal("POST", f"{path}/scenes", json={"scene": OUTRO})[2]
    for method, at in (("POST", "/projects"), ("PUT", path), ("POST", f"{path}/render")):
        assert api.refusal(method, at, scope="read", json={"document": FILM})[0] == 403


def test_a_film_of_a_project_is_queued_as_it_is_now(api: Api) -> None:
    path = made(api)
    body = {
        "scenes": ["outro"],
        "format": "webm",
        "resolution": "480p",
        "priority": 7,
        "metadata": {"order": 1},
        "webhookUrl": "https://example.com/hook",
    }
    answer = api("POST", f"{path}/render", scope="submit", json=body, headers={"Idempotency-Key": "one"})
    assert answer.status_code == 202
    job = answer.json()["data"]
    assert answer.headers["location"] == f"/api/v1/jobs/{job['id']}"
    assert job["id"].endswith("-1-webm")
    (hook,) = api.kiln.webhooks.list(job_id=job["id"])
    assert (hook.url, hook.secret) == (body["webhookUrl"], job["webhookSecret"])
    assert (job["pipeline"], job["priority"]) == ("scenes", 7)
    assert job["metadata"] == {"order": 1, "project": path.rpartition("/")[2], "revision": 1}
    stored = api.kiln.room.job(job["id"]).report.job
    assert (stored.account, stored.label) == (ACCOUNT, "The kite webm")
    assert stored.params["scenes"] == ["outro"]
    assert stored.params["folder"] == ""
    again = api.data("POST", f"{path}/render", scope="submit", json=body, headers={"Idempotency-Key": "one"})
    assert again["id"] == job["id"]
    assert api.data("POST", f"{path}/render", scope="submit")["id"].endswith("-1-mp4")
    wrongs: list[tuple[dict[str, Any], str]] = [
        ({"scenes": ["nobody"]}, "nobody"), ({"format": "avi"}, "format"), ({"fps": 31}, "fps"),
        ({"aspect": "1:9"}, "aspect"), ({"maxBytes": 5000}, "max_bytes"), ({"params": {}}, "params"),
    ]  # fmt: skip
    for wrong, word in wrongs:
        refusal = api.refusal("POST", f"{path}/render", json=wrong)
        assert refusal[0] == 422, refusal
        assert word in refusal[2]
    foreign = {"scenes": [{"duration": 1, "background": {"type": "image", "file": f"asset:ast_{0:032x}"}}]}
    assert api.refusal("POST", f"{made(api, foreign)}/render")[:2] == (404, "ASSET_NOT_FOUND")


@ON_ONE
def test_five_hundred_scenes_are_taken_and_rendered(api: Api) -> None:
    text = (
        "A sentence of a hundred letters, as people write them on slides that tell what is to be seen here. "
    )
    scenes = [{"duration": 2, "layers": [{"type": "text", "text": 8 * text}]} for _ in range(500)]
    path = made(api, {"scenes": scenes})
    assert api.data("GET", path)["scenes"] == 500
    assert api("POST", f"{path}/render").status_code == 202
