"""Events over HTTP: emitted, streamed as they happen, and taken up again where somebody was cut off."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest

from databases import NOON
from renderkiln.api import sse
from renderkiln.api.place import Place
from renderkiln.database import deliveries, events, workers
from renderkiln.database.workers import NewWorker
from renderkiln.domain.delivery import DeliveryState
from renderkiln.domain.event import Event

from .conftest import ACCOUNT, Api

pytestmark = pytest.mark.integration

ON_ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@dataclass
class Stream:
    """What came over one, frame by frame; `ids` are those of frames with an event."""

    response: httpx.Response
    frames: list[dict[str, str]] = field(default_factory=list)
    lines: Iterator[str] = field(init=False)
    first: dict[str, str] = field(default_factory=dict)  # an id without an event: it is open

    def __post_init__(self) -> None:
        self.lines = self.response.iter_lines()

    def frame(self) -> dict[str, str]:
        """The next one; raises StopIteration at the end."""
        fields: dict[str, str] = {}
        for line in self.lines:
            if not line and fields:
                return fields
            name, _, value = line.partition(":")
            if line:
                fields[name] = value.strip()
        raise StopIteration

    def event(self) -> dict[str, Any]:
        while True:
            frame = self.frame()
            if "data" in frame:
                self.frames.append(frame)
                told: dict[str, Any] = json.loads(frame["data"])
                assert frame["event"] == told["type"]
                return told

    @property
    def last(self) -> str:
        return self.frames[-1]["id"]


@contextmanager
def streaming(
    api: Api, path: str = "/events/stream", *, after: str | None = None, key: str | None = None
) -> Iterator[Stream]:
    headers = {"Authorization": f"Bearer {key or api.keys['admin']}"}
    if after is not None:
        headers["Last-Event-ID"] = after
    with api.client.stream("GET", f"/api/v1{path}", headers=headers) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        stream = Stream(response)
        stream.first = stream.frame()
        yield stream


def emit(api: Api, type: str = "user.upgraded", **payload: Any) -> dict[str, Any]:
    body = {"eventType": type, "payload": payload}
    told: dict[str, Any] = api.data("POST", "/events", scope="submit", json=body)
    return told


def test_what_is_emitted_is_streamed_and_taken_up_where_one_was_cut_off(api: Api) -> None:
    with streaming(api) as stream:
        made = emit(api, plan="pro")
        assert made["handled"] is True
        told = stream.event()
        assert (told["id"], told["type"], told["data"]) == (made["id"], "user.upgraded", {"plan": "pro"})
        place = stream.last
    missed = [emit(api, number=number)["id"] for number in range(3)]
    with streaming(api, after=place) as stream:
        assert [stream.event()["id"] for _ in missed] == missed
        new = emit(api)
        assert stream.event()["id"] == new["id"]


def test_who_is_cut_off_before_the_first_event_misses_nothing(api: Api) -> None:
    with streaming(api) as stream:
        place = stream.first["id"]
    made = emit(api)
    with streaming(api, after=place) as stream:
        assert stream.event()["id"] == made["id"]


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_an_event_that_comes_to_light_late_is_told_late(api: Api) -> None:
    database = api.kiln.database
    with streaming(api) as stream:
        with database.write() as slow:
            late = events.append(slow, Event("queue.paused", None, NOON, 0.0))
            made = emit(api)
            assert stream.event()["id"] == made["id"]
            place = stream.last
            assert place == f"{made['id']}-{late}"
        assert stream.event()["id"] == late
        assert stream.last == str(made["id"])
    with streaming(api, after=place) as again:  # whoever was cut off meanwhile has it missing, too
        assert again.event()["id"] == late


def test_the_stream_of_a_job_begins_with_it_and_ends_with_it(api: Api) -> None:
    api.add("b-1", "b-2")

    def tell(name: str, job: str = "b-1", message: str = "") -> None:
        with api.kiln.database.write() as connection:
            events.append(connection, Event(name, job, NOON, 50.0, "render", message), batch_id="b")

    tell("job.started")
    with streaming(api, "/jobs/b-1/events") as stream:
        assert stream.event()["type"] == "job.started"
        tell("job.started", "b-2")
        tell("job.progress")
        told = stream.event()
        assert (told["type"], told["jobId"], told["batchId"]) == ("job.progress", "b-1", "b")
        assert (told["progress"], told["stage"]) == (50.0, "render")
        api.fail("b-1")
        tell("job.failed", message=api.error.message)
        told = stream.event()
        assert (told["type"], told["message"]) == ("job.failed", "'song.mp3' is no media")
        with pytest.raises(StopIteration):
            stream.frame()
    with streaming(api, "/jobs/b-1/events") as stream:
        assert [stream.event()["type"] for _ in range(3)] == ["job.started", "job.progress", "job.failed"]
        with pytest.raises(StopIteration):
            stream.frame()
    answer = api("GET", "/jobs/b-1/events", headers={"Last-Event-ID": stream.last})
    assert answer.status_code == 204
    assert api.refusal("GET", "/jobs/b-9/events")[:2] == (404, "JOB_NOT_FOUND")


@ON_ONE
def test_each_sees_what_it_may_and_asked_for(api: Api) -> None:
    _, other = api.kiln.keys.create("other", "read")
    with streaming(api, key=other) as stranger, streaming(api, "/events/stream?type=user.*") as chosen:
        emit(api, "no.handler")
        with api.kiln.database.write() as connection:
            events.append(connection, Event("queue.paused", None, NOON, 0.0))
        assert stranger.event()["type"] == "queue.paused"  # not what another key emits
        emit(api)
        assert chosen.event()["type"] == "user.upgraded"
    with streaming(api, key=api.keys["admin"], after="0") as admin:
        assert [admin.event()["type"] for _ in range(3)] == ["no.handler", "queue.paused", "user.upgraded"]


@ON_ONE
def test_the_stream_of_a_browser_lasts_as_long_as_its_session(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "KEEP_ALIVE", 0.02)  # after each the session is looked at
    made = api.data("POST", "/keys", json={"name": "kiosk", "scope": "read", "account": ACCOUNT})
    with httpx.Client(base_url=api.client.base_url) as browser:
        browser.headers["Origin"] = str(browser.base_url)
        assert browser.post("/login", json={"key": made["key"]}).is_success
        with browser.stream("GET", "/api/v1/events/stream") as response:
            stream = Stream(response)
            for _ in range(5):
                stream.frame()
            assert emit(api)["id"] == stream.event()["id"]
            assert api("DELETE", f"/keys/{made['id']}").is_success
            for _ in iter(stream.frame, {}):  # until it ends
                pass


@ON_ONE
def test_the_types_that_there_are(api: Api) -> None:
    types = api.data("GET", "/events/types", scope="read")
    assert {"job.progress", "job.completed"} <= set(types["streamed"])
    assert "job.completed" in types["told"]
    assert "job.progress" not in types["told"]
    assert "user.upgraded" in types["handled"]


@ON_ONE
def test_streams_do_not_keep_the_server(api: Api) -> None:
    ended = threading.Event()

    def read() -> None:
        with streaming(api) as stream:
            open_.release()
            with pytest.raises(StopIteration):
                stream.frame()
        ended.set()

    open_ = threading.Semaphore(0)
    threading.Thread(target=read, daemon=True).start()
    open_.acquire()
    begun = time.monotonic()
    api.stop()
    assert ended.wait(1)
    assert time.monotonic() - begun < 1.5


@pytest.mark.parametrize("word", ["x", "-1", "1-", "1" * 19, "1;2", "1--2"])
@ON_ONE
def test_ids_that_are_none(api: Api, word: str) -> None:
    assert api.refusal("GET", "/events/stream", headers={"Last-Event-ID": word})[:2] == (
        422,
        "INVALID_REQUEST",
    )


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"eventType": "x"},
        {"eventType": "job.completed", "payload": {}},
        {"eventType": "warning.x"},
        {"eventType": "../../etc", "payload": {}},
        {"eventType": "a.b\x00", "payload": {}},
        {"eventType": "a.b", "payload": []},
        {"eventType": "a.b", "payload": {"x": "y" * 70_000}},
        {"eventType": "a." + "b" * 200, "payload": {}},
        {"eventType": "a.b", "payload": {}, "more": 1},
        {"eventType": 7},
    ],
)
@ON_ONE
def test_events_that_are_none(api: Api, body: Any) -> None:
    status, code, _ = api.refusal("POST", "/events", json=body)
    assert (status, code) in {(422, "INVALID_EVENT"), (422, "INVALID_REQUEST")}


@ON_ONE
def test_what_renderkiln_tells_of_projects_takes_an_admins_key(api: Api) -> None:
    body = {"eventType": "scene.created", "payload": {"scene": "intro"}}
    status, code, message = api.refusal("POST", "/events", scope="submit", json=body)
    assert (status, code) == (403, "RESERVED_EVENT")
    assert "another type, or an admin's key" in message
    assert api.data("POST", "/events", json=body)["handled"] is True
    assert emit(api, "project.analyzed")["handled"] is True  # which Renderkiln never tells


@ON_ONE
def test_an_unknown_type_is_a_warning(api: Api) -> None:
    answer = api("POST", "/events", json={"eventType": "moon.landed", "payload": {"crew": 3}})
    assert answer.status_code == 202
    told = answer.json()["data"]
    assert told["handled"] is False
    assert told["warnings"] == ["no handler is installed for the type moon.landed"]


def test_places_are_words_and_back() -> None:
    place = Place(4)
    for number in (5, 6, 9, 7):
        place.note(number, 1.0)
    assert place.word == "9-8"
    assert [number for number in range(12) if place.lacks(number)] == [8, 10, 11]
    again = Place.of(place.word, 2.0)
    assert again is not None
    assert (again.newest, set(again.missing)) == (9, {8})
    place.forget(15.0)
    assert place.word == "9-8"
    place.forget(22.0)
    assert place.word == "9"


@ON_ONE
def test_who_does_not_read_is_let_go_and_holds_nobody_up(api: Api) -> None:
    address = api.client.base_url
    head = f"Host: x\r\nAuthorization: Bearer {api.keys['admin']}\r\n\r\n"
    hub = api.app.state.hub
    with socket.socket() as lazy:
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lazy.connect((address.host, address.port))
        lazy.sendall(f"GET /api/v1/events/stream HTTP/1.1\r\n{head}".encode())
        assert lazy.recv(12) == b"HTTP/1.1 200"
        with streaming(api) as stream:
            assert len(hub._watchers) == 2
            big = Event("user.upgraded", None, NOON, 0.0, facts={"much": "x" * 4000})
            with api.kiln.database.write() as connection:
                events.append_all(connection, [big] * 5000)
            assert [stream.event()["id"] for _ in range(5000)] == list(range(1, 5001))
            deadline = time.monotonic() + 10
            while len(hub._watchers) > 1:
                assert time.monotonic() < deadline, "it was not let go"
                time.sleep(0.02)


def test_a_failed_event_is_handled_again_and_once(api: Api) -> None:
    emit(api, plan="pro")
    (waiting,) = api.data("GET", "/events")["items"]
    path = f"/events/{waiting['id']}/retry"
    now = api.kiln.room.clock.now()
    tries = [{"at": "2026-01-27T12:00:00.000Z", "status": None, "error": "KeyError: 'n'"}]

    def end(state: DeliveryState) -> None:
        to = [deliveries.Target(handler="user.upgraded")]
        with api.kiln.database.write() as connection:
            assert deliveries.claim(connection, now + timedelta(hours=1), "w1", to, limit=1, share=1)
            assert deliveries.end_if_claimed(connection, waiting["id"], "w1", now, state=state, tries=tries)

    with api.kiln.database.write() as connection:
        workers.register(connection, NewWorker("w1", "w1", "host", 1, (), 1, NOON))
    end("failed")
    again = api.data("POST", path)
    assert (again["state"], again["attempts"], again["tries"]) == ("pending", 0, tries)
    assert api.data("POST", path) == again  # nothing more comes of it
    end("delivered")
    assert api.refusal("POST", path)[:2] == (409, "CONFLICT")
    assert api.refusal("POST", path, scope="submit")[0] == 403
    assert api.refusal("POST", "/events/msg_0/retry")[:2] == (404, "EVENT_NOT_FOUND")
    hook = api.kiln.webhooks.create("https://example.com/", types=["*"])
    sent = api.kiln.webhooks.test(hook.id)
    assert api.refusal("POST", f"/events/{sent.id}/retry")[:2] == (404, "EVENT_NOT_FOUND")
