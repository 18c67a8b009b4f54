"""Links to one job, and logging in with a browser: what is signed opens that, and nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from renderkiln.api import session, sse
from renderkiln.domain.clock import Clock
from renderkiln.storage import signed

from .conftest import ON_ONE, Api

pytestmark = [pytest.mark.integration, ON_ONE]


class Later:
    """The clock of a week later."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._clock, name)

    def now(self) -> Any:
        return self._clock.now() + timedelta(days=7, seconds=1)


def test_a_status_link_needs_no_key_and_opens_one_job(api: Api) -> None:
    film = api.folder / "film.mp4"
    film.write_bytes(b"film")
    api.add("b-1", "b-2")
    api.complete("b-1", film)
    told = api.data("GET", "/jobs/b-1", scope="read")
    link = told["statusUrl"]
    seen = api.data("GET", link, scope=None, prefix="")
    assert seen["statusUrl"] == link  # good as long, and no longer
    assert (seen["id"], seen["state"]) == ("b-1", "completed")
    file = api("GET", seen["artifacts"][0]["url"], scope=None, prefix="")
    assert file.content == b"film"
    for address in (link, seen["artifacts"][0]["url"]):  # pages of others may show it
        told = api("GET", address, scope=None, prefix="").headers
        assert told["access-control-allow-origin"] == "*"
        assert told["cross-origin-resource-policy"] == "cross-origin"
    assert "access-control-allow-origin" not in api("GET", "/jobs/b-1").headers
    query = urlsplit(link).query
    for address in (
        f"/jobs/b-2/status?{query}",
        f"/jobs/b-1/artifacts/1?{query}",
        f"/jobs/b-1/status?{query}0",
        f"/jobs/b-1/status?{query}&x=1",
        f"/jobs/b-1/status?{query.replace('expires=', 'expires=9')}",
    ):
        assert api.refusal("GET", address, scope=None)[:2] == (403, "LINK_FORGED"), address
    assert api.refusal("GET", f"/jobs/b-1?{query}", scope=None)[0] == 401
    assert api.refusal("POST", f"/jobs/b-1/cancel?{query}", scope=None)[0] == 401
    assert api.refusal("GET", "/jobs/b-1/status", scope=None)[0] == 401
    assert api.refusal("GET", "/jobs/b-1/status", key=api.stranger())[0] == 404


def test_a_status_link_tells_the_events_of_its_job_and_of_no_other(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.add("b-1", "b-2")
    link = api.data("GET", "/jobs/b-1", scope="read")["statusUrl"]
    as_events = {"Accept": "text/event-stream"}
    for command, of in (("cancel", "b-2"), ("cancel", "b-1"), ("retry", "b-1"), ("cancel", "b-1")):
        api.data("POST", f"/jobs/{of}/{command}")
    told = api("GET", link, scope=None, prefix="", headers=as_events)  # it has ended: so do they
    assert told.headers["content-type"].startswith("text/event-stream")
    assert told.headers["access-control-allow-origin"] == "*"
    lines = told.text.splitlines()
    assert [each for each in lines if each.startswith("event:")][-2:] == [
        "event: job.reopened",
        "event: job.cancelled",
    ]
    jobs = {json.loads(each.removeprefix("data: "))["jobId"] for each in lines if each.startswith("data: ")}
    assert jobs == {"b-1"}
    last = [each.removeprefix("id: ") for each in lines if each.startswith("id: ")][-1]
    again = api("GET", link, scope=None, prefix="", headers={**as_events, "Last-Event-ID": last})
    assert again.status_code == 204
    forged = link.replace("b-1", "b-2")
    assert api.refusal("GET", forged, scope=None, prefix="", headers=as_events)[:2] == (403, "LINK_FORGED")
    api.data("POST", "/jobs/b-1/retry")
    monkeypatch.setattr(sse, "KEEP_ALIVE", 0.02)  # after each the link is looked at
    with api.client.stream("GET", link, headers=as_events) as stream:
        seen = stream.iter_lines()
        assert next(seen).startswith("retry: ")
        monkeypatch.setitem(api.kiln.room.__dict__, "clock", Later(api.kiln.room.clock))
        list(seen)  # it is good no longer: that ends


def test_a_link_to_one_file_needs_no_key_and_opens_that_one(api: Api) -> None:
    films = [api.folder / name for name in ("film.mp4", "film.jpg")]
    for film in films:
        film.write_bytes(film.name.encode())
    api.add("b-1")
    api.complete("b-1", *films)
    told = api.data("GET", "/jobs/b-1/artifacts/2/link", scope="read")
    assert api("GET", told["url"], scope=None, prefix="").content == b"film.jpg"
    lasts = datetime.fromisoformat(told["expiresAt"]) - datetime.now(UTC)
    assert timedelta(days=6, hours=23) < lasts <= timedelta(days=7)
    other = told["url"].replace("artifacts/2", "artifacts/1")
    assert api.refusal("GET", other, scope=None, prefix="")[:2] == (403, "LINK_FORGED")
    for refused in ({"key": api.stranger()}, {}):
        number = 2 if refused else 3
        assert api.refusal("GET", f"/jobs/b-1/artifacts/{number}/link", **refused)[0] == 404


def test_a_link_is_good_for_a_week(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.add("b-1")
    link = api.data("GET", "/jobs/b-1")["statusUrl"]
    monkeypatch.setitem(api.kiln.room.__dict__, "clock", Later(api.kiln.room.clock))
    assert api.refusal("GET", link, scope=None, prefix="")[:2] == (403, "LINK_EXPIRED")
    assert signed.LASTS == session.LASTS == timedelta(days=7)


def test_a_browser_logs_in_once_and_out(api: Api) -> None:
    sessions = api.app.state.reached.sessions
    place = f"/login?token={sessions.token}"
    assert api.refusal("GET", "/login?token=wrong", scope=None, prefix="")[:2] == (403, "LINK_EXPIRED")
    answer = api("GET", place, scope=None, prefix="")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert api.refusal("GET", place, scope=None, prefix="")[:2] == (403, "LINK_EXPIRED")  # it was used
    api.add("b-1")
    assert api.data("GET", "/jobs/b-1", scope=None)["id"] == "b-1"  # the client has kept the cookie
    own = {"Origin": str(api.client.base_url).rstrip("/")}
    for foreign in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        refused = api.refusal("POST", "/jobs/b-1/cancel", scope=None, headers=foreign)
        assert refused[:2] == (403, "FOREIGN_ORIGIN"), foreign
    assert api.data("POST", "/jobs/b-1/cancel", scope=None, headers=own)["state"] == "cancelled"
    kept = dict(api.client.cookies)
    assert api("POST", "/logout", scope=None, prefix="", headers=own).status_code == 204
    api.client.cookies.clear()
    assert api.refusal("GET", "/jobs/b-1", scope=None)[0] == 401
    api.client.cookies.update(kept)
    assert api.refusal("GET", "/jobs/b-1", scope=None)[0] == 401  # a copy of it opens nothing either
