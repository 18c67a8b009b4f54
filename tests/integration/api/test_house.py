"""What the house is made of: pipelines, queues' limits, workers, keys, settings."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from databases import NOON
from renderkiln.database import moves, workers
from renderkiln.database.workers import NewWorker
from renderkiln.domain.errors import UserError
from renderkiln.settings import Settings

from .conftest import ACCOUNT, ON_ONE, QUEUE, Api

pytestmark = pytest.mark.integration


@ON_ONE
def test_pipelines_say_what_can_be_asked_of_them(api: Api) -> None:
    listed = {each["name"]: each for each in api.data("GET", "/pipelines", scope="read")}
    assert {"narration", "scenes", "variations", "visualizer"} <= set(listed)
    visualizer = api.data("GET", "/pipelines/visualizer", scope="read")
    assert visualizer.pop("params")["properties"]["format"]["enum"] == visualizer["formats"]
    assert visualizer == listed["visualizer"]
    assert (visualizer["takesFile"], visualizer["queue"]) == (True, QUEUE)
    assert visualizer["summary"].startswith("Decodes and analyses a song")
    assert visualizer["stages"][1] == {
        "name": "render", "weight": 80, "message": "Rendering frames", "optional": False
    }  # fmt: skip
    assert listed["narration"]["formats"] == []
    assert api.refusal("GET", "/pipelines/os")[:2] == (404, "PIPELINE_NOT_FOUND")


def test_limits_of_queues(api: Api) -> None:
    path = f"/queues/{QUEUE}"
    usual = api.data("GET", path, scope="read")
    changed = api.data("PATCH", path, json={"workerLimit": 3, "globalLimit": 7})
    assert (changed["workerLimit"], changed["globalLimit"]) == (3, 7)
    assert api.data("PATCH", path, json={"workerLimit": None})["workerLimit"] == usual["workerLimit"]
    assert api.data("GET", path)["globalLimit"] == 7
    for wrong in ({}, {"workerLimit": 0}, {"paused": True}, {"workerLimit": 8}, {"workerLimit": "many"}):
        assert api.refusal("PATCH", path, json=wrong)[:2] == (422, "INVALID_REQUEST"), wrong
    assert api.refusal("PATCH", path, scope="submit", json={"workerLimit": 1})[0] == 403
    assert api.refusal("PATCH", "/queues/nobody", json={"workerLimit": 1})[:2] == (404, "QUEUE_NOT_FOUND")


def test_workers_and_what_they_run(api: Api) -> None:
    now = api.kiln.room.clock.now() + timedelta(minutes=1)  # so that it is not silent yet when we ask
    with api.kiln.database.write() as connection:
        workers.register(connection, NewWorker("w1", "studio", "host", 7, (QUEUE,), 2, now))
        workers.register(connection, NewWorker("w2", "old", "host", 8, (), 1, NOON, direct=True))
        workers.drain(connection, "w1")
    api.add("b-1", "b-2")
    with api.kiln.database.write() as connection:
        moves.start_if_waiting(connection, "b-1", 1, "w1", "studio", now)
    old, busy = api.data("GET", "/workers")
    assert (old["id"], old["state"], old["direct"], old["jobs"]) == ("w2", "silent", True, [])
    assert (busy["name"], busy["state"], busy["queues"]) == ("studio", "draining", [QUEUE])
    assert busy["silentSeconds"] < 10
    assert [(each["id"], each["attempt"]) for each in busy["jobs"]] == [("b-1", 1)]
    assert api.refusal("GET", "/workers", scope="submit")[0] == 403


def test_a_key_is_made_shown_once_and_revoked(api: Api) -> None:
    order = {"name": "The  press", "scope": "read", "account": ACCOUNT, "budget": {"amount": 2.5}}
    answer = api("POST", "/keys", json=order)
    assert answer.status_code == 201
    made = answer.json()["data"]
    secret = made.pop("key")
    me = api.data("GET", "/me", key=secret)
    budget = {"amount": 2.5, "period": "month", "currency": api.kiln.settings.currency}
    used = {name: me["budget"].pop(name) for name in ("spent", "expected", "endsAt")}
    assert (used["spent"], used["expected"], used["endsAt"][8:]) == (0, 0, "01T00:00:00.000Z")
    assert me == {
        "id": made["id"], "name": "The press", "scope": "read", "account": ACCOUNT, "budget": budget
    }  # fmt: skip
    listed = api.data("GET", "/keys")
    assert {**made, "usedAt": None} in [{**each, "usedAt": None} for each in listed]
    assert secret not in api("GET", "/keys").text
    assert api.refusal("GET", "/keys", scope="submit")[0] == 403
    assert api.data("DELETE", f"/keys/{made['id']}")["revokedAt"] is not None
    assert api.refusal("GET", "/me", key=secret)[0] == 401
    assert api.refusal("DELETE", f"/keys/{made['id']}")[:2] == (409, "CONFLICT")
    assert api.refusal("DELETE", "/keys/key_" + "0" * 16)[:2] == (404, "KEY_NOT_FOUND")
    for wrong in (
        {},
        {"name": " "},
        {"name": "a\x00b"},
        {"name": "a", "scope": "root"},
        {"name": "a", "account": "/"},
    ):
        assert api.refusal("POST", "/keys", json=wrong)[:2] == (422, "INVALID_REQUEST"), wrong


def test_what_a_key_may_do_and_spend_is_changed(api: Api) -> None:
    made, secret = api.kiln.keys.create("press", "submit", ACCOUNT)
    at = f"/keys/{made.id}"
    told = api.data("PATCH", at, json={"budget": {"amount": 2.5, "period": "day"}})
    assert told["budget"] == {"amount": 2.5, "period": "day", "currency": api.kiln.settings.currency}
    told = api.data("PATCH", at, json={"name": " The  press", "scope": "read"})
    assert (told["name"], told["scope"], told["budget"]["amount"]) == ("The press", "read", 2.5)
    assert api.data("GET", "/me", key=secret)["scope"] == "read", "from its next request on"
    assert api.data("PATCH", at, json={"budget": None})["budget"] is None
    assert api.data("PATCH", at, json={}) == {
        **told,
        "budget": None,
        "usedAt": api.kiln.keys.list()[0].to_json()["usedAt"],
    }
    for scope in ("read", "submit"):
        mine = api.data("GET", "/me", scope=scope)["id"]
        for id in (mine, made.id):
            assert api.refusal("PATCH", f"/keys/{id}", scope=scope, json={"scope": "admin"})[0] == 403
    admin = f"/keys/{api.data('GET', '/me')['id']}"
    assert api.refusal("PATCH", admin, json={"scope": "submit"})[:2] == (409, "LAST_ADMIN_KEY")
    assert api.data("PATCH", admin, json={"name": "me"})["scope"] == "admin"
    for wrong in (
        {"name": " "}, {"scope": "root"}, {"account": "x"}, {"budget": {"amount": 0}}, {"budget": 3}
    ):  # fmt: skip
        assert api.refusal("PATCH", at, json=wrong)[:2] == (422, "INVALID_REQUEST"), wrong
    nobody = "/keys/key_" + "0" * 16
    assert api.refusal("PATCH", nobody, json={"name": "x"})[:2] == (404, "KEY_NOT_FOUND")
    api.kiln.keys.revoke(made.id)
    assert api.refusal("PATCH", at, json={"scope": "admin"})[:2] == (409, "CONFLICT")
    assert api.refusal("GET", "/me", key=secret)[0] == 401


def test_the_last_admin_key_stays_whoever_comes_at_once(api: Api) -> None:
    mine = api.data("GET", "/me")["id"]
    refusal = api.refusal("DELETE", f"/keys/{mine}")
    assert refusal[:2] == (409, "LAST_ADMIN_KEY")
    other = api.kiln.keys.create("second", "admin")[0].id
    ready = threading.Barrier(2)
    refused: list[str] = []

    def revoke(id: str) -> None:
        ready.wait()
        try:
            api.kiln.keys.revoke(id, keep_admin=True)
        except UserError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=revoke, args=(id,)) for id in (mine, other)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    (told,) = refused
    assert told.endswith("is the last admin key: make another one first")


def test_the_system_tells_admins_what_it_is_made_of_but_no_secret(api: Api) -> None:
    told = api.data("GET", "/system")
    kind = "sqlite" if api.kiln.database.is_sqlite else "postgres"
    assert told["database"]["kind"] == kind
    assert told["usage"]["free"] > 0
    assert told["usage"]["database"] > 0
    assert told["ffmpeg"]
    assert told["settings"]["host"] == "127.0.0.1"
    assert api.refusal("GET", "/system", scope="submit")[0] == 403


def test_settings_are_shown_without_secrets() -> None:
    shown = Settings(
        openai_api_key="sk-1",
        database="postgresql://me:hid@den@host/db?password=hidden",
        openai_base_url="http://u:p@h/v1",
    ).shown()
    assert shown["database"] == "postgresql://…@host/db?…"
    assert shown["openai_base_url"] == "http://…@h/v1"
    assert "sk-1" not in str(shown)
