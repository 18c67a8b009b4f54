"""Webhooks over HTTP: made, changed, tried, rotated, forgotten; and what of them nobody is shown."""

from __future__ import annotations

from typing import Any

import pytest

from databases import NOON
from renderkiln.client import Client
from renderkiln.database import deliveries, workers
from renderkiln.database.workers import NewWorker

from .conftest import ON_ONE, Api

pytestmark = pytest.mark.integration

URL = "https://example.com/hook"


def test_a_webhook_from_its_making_to_its_end(api: Api) -> None:
    answer = api("POST", "/webhooks", json={"url": URL, "types": ["job.failed"], "label": "ops"})
    made = answer.json()["data"]
    path = f"/webhooks/{made['id']}"
    assert (answer.status_code, answer.headers["location"]) == (201, f"/api/v1{path}")
    assert made["secret"].startswith("whsec_")
    shown = {name: value for name, value in made.items() if name != "secret"}
    assert api.data("GET", path) == shown
    assert api.data("GET", "/webhooks") == {"items": [shown], "nextCursor": None}

    changed = api.data("PATCH", path, json={"types": ["*"], "enabled": False})
    assert changed == {**shown, "types": ["*"], "enabled": False, "reason": "a person disabled it"}
    status, _, message = api.refusal("POST", f"{path}/test")
    assert (status, "enable it first" in message) == (409, True)
    api.data("PATCH", path, json={"enabled": True})
    assert api.data("POST", f"{path}/rotate")["secret"] not in {None, made["secret"]}

    sent = api.data("POST", f"{path}/test")
    assert (sent["type"], sent["state"], sent["payload"]["data"]["webhook"]) == (
        "webhook.test",
        "pending",
        made["id"],
    )
    assert api.data("GET", f"{path}/deliveries")["items"] == [sent]
    with api.kiln.database.write() as connection:
        workers.register(connection, NewWorker("w1", "w1", "host", 1, (), 1, NOON))
        now = api.kiln.room.clock.now()
        to = [deliveries.Target(made["id"])]
        assert deliveries.claim(connection, now, "w1", to, limit=1, share=1)
    assert api.refusal("POST", f"{path}/deliveries/{sent['id']}/replay")[:2] == (409, "CONFLICT")
    with api.kiln.database.write() as connection:
        assert deliveries.end_if_claimed(
            connection, sent["id"], "w1", now, state="failed", error="it answered 500"
        )
    (failed,) = api.data("GET", f"{path}/deliveries?state=failed")["items"]
    assert (failed["error"], failed["attempts"], failed["nextAt"]) == ("it answered 500", 1, None)
    again = api.data("POST", f"{path}/deliveries/{sent['id']}/replay")
    assert (again["id"], again["state"], again["attempts"]) == (sent["id"], "pending", 0)

    assert api("DELETE", path).status_code == 204
    assert api.refusal("GET", path)[:2] == (404, "WEBHOOK_NOT_FOUND")
    assert api.refusal("POST", f"{path}/deliveries/{sent['id']}/replay")[0] == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": "x"},
        {"url": "http://127.0.0.1/"},
        {"url": "http://2130706433/"},
        {"url": "https://user:word@example.com/"},
        {"url": "https://example.com:25/"},
        {"url": URL, "types": []},
        {"url": URL, "types": ["job.progress"]},
        {"url": URL, "types": ["JOB"]},
        {"url": URL, "types": ["job.nope"]},
        {"url": URL, "types": ["a.b"] * 51},
        {"url": URL, "label": "\x00"},
        {"url": URL, "secret": "whsec_mine"},
        {"url": "https://example.com/" + "x" * 9000},
    ],
)
@ON_ONE
def test_webhooks_that_are_none(api: Api, body: Any) -> None:
    status, code, _ = api.refusal("POST", "/webhooks", json=body)
    assert (status, code) in {(422, "INVALID_WEBHOOK"), (422, "INVALID_REQUEST")}
    assert api.data("GET", "/webhooks")["items"] == []


def test_pages_hold_every_webhook_once_the_newest_first(api: Api) -> None:
    made = [api.kiln.webhooks.create(URL, label=str(number)).id for number in range(5)]
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = api.data("GET", "/webhooks", params={"limit": 2, **({"cursor": cursor} if cursor else {})})
        assert len(page["items"]) <= 2
        found += [each["id"] for each in page["items"]]
        cursor = page["nextCursor"]
    assert found == made[::-1]
    with Client(str(api.client.base_url), api.keys["admin"]) as client:
        assert [each.id for each in client.webhooks()] == found
    assert api.refusal("GET", "/webhooks", params={"cursor": "x"})[:2] == (404, "PAGE_NOT_FOUND")
