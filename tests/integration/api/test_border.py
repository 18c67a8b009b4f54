"""What holds for every request: who may, the form of the answer, and what hostile ones come to."""

from __future__ import annotations

import http.client
import json
import re
import socket
import time
from datetime import datetime

import httpx
import pytest

from renderkiln.api import passage
from renderkiln.api.passage import MOST_BYTES
from renderkiln.domain.access import Scope

from .conftest import ON_ONE, QUEUE, Api

pytestmark = pytest.mark.integration

OPEN = {"/", "/session", "/health", "/healthz", "/readyz", "/stats", "/metrics", "/openapi.json"}


def described(api: Api) -> dict[str, dict[str, dict[str, object]]]:
    paths: dict[str, dict[str, dict[str, object]]] = api.client.get("/openapi.json").json()["paths"]
    return paths


PLACES = {
    "job_id": "b-1",
    "batch_id": "b",
    "name": QUEUE,  # of a queue, or of a pipeline there is not
    "number": 1,
    "asset_id": f"ast_{0:032x}",
    "key_id": f"key_{0:016x}",
    "project_id": "prj_0",
    "scene_id": "intro",
    "upload_id": f"upl_{0:032x}",
    "webhook_id": "whk_1",
    "delivery_id": "msg_1",
    "event_id": 1,
}


@ON_ONE
def test_everything_but_probes_takes_a_key(api: Api) -> None:
    api.add("b-1")
    for path, methods in described(api).items():
        if path.startswith("/files/") or path == "/login":  # public or signed: test_files.py, test_links.py
            continue
        address = path.format(**PLACES)
        for method in methods:
            for headers in (
                {},
                {"Authorization": "Bearer rk_" + "a" * 43},
                {"Authorization": "Basic bWU6bWU="},
                {"Authorization": "Bearer"},
                {"Authorization": f"bearer x{api.keys['admin']}"},
            ):
                answer = api.client.request(method, address, headers=headers)
                assert answer.status_code == (200 if path in OPEN else 401), (method, path, headers)
                if path not in OPEN:
                    assert answer.headers["www-authenticate"] == "Bearer"
                    if method != "head":
                        assert answer.json()["error"]["code"] == "UNAUTHENTICATED"
    assert api.data("GET", "/jobs/b-1")["state"] == "pending"


@pytest.mark.parametrize(
    ("method", "path", "needed"),
    [
        ("GET", "/jobs", "read"),
        ("POST", "/jobs/b-1/retry", "submit"),
        ("POST", "/jobs/b-1/cancel", "submit"),
        ("POST", "/batches/b/cancel", "submit"),
        ("POST", f"/queues/{QUEUE}/pause", "admin"),
        ("POST", f"/queues/{QUEUE}/resume", "admin"),
    ],
)
@ON_ONE
def test_scopes(api: Api, method: str, path: str, needed: Scope) -> None:
    api.add("b-1")
    refused = {scope for scope in api.keys if api(method, path, scope=scope).status_code == 403}
    assert refused == {"read": set(), "submit": {"read"}, "admin": {"read", "submit"}}[needed]


def test_a_revoked_key_opens_nothing_from_the_next_request_on(api: Api) -> None:
    made, secret = api.kiln.keys.create("gone", "admin")
    headers = {"Authorization": f"Bearer {secret}"}
    assert api("GET", "/jobs", scope=None, headers=headers).status_code == 200
    api.kiln.keys.revoke(made.id)
    assert api("GET", "/jobs", scope=None, headers=headers).status_code == 401


@ON_ONE
def test_the_envelope(api: Api) -> None:
    answer = api("GET", "/jobs/b-1", headers={"X-Request-Id": "mine-1"})
    body = answer.json()
    assert set(body) == {"success", "error", "meta"}
    assert set(body["meta"]) == {"requestId", "timestamp", "operation"}
    assert body["meta"]["requestId"] == answer.headers["x-request-id"] == "mine-1"
    assert body["meta"]["operation"] == "getJob"
    assert datetime.fromisoformat(body["meta"]["timestamp"]).tzinfo is not None
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "server" not in answer.headers


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "<script>", "é".encode("latin-1")])
@ON_ONE
def test_an_id_that_is_none_is_replaced(api: Api, given: str | bytes) -> None:
    sent = given if isinstance(given, bytes) else given.encode()
    answer = api.client.get("/healthz", headers=[(b"X-Request-Id", sent)])
    made = answer.json()["meta"]["requestId"]
    assert made == answer.headers["x-request-id"]
    assert len(made) == 16


@ON_ONE
def test_addresses_and_methods_there_are_not(api: Api) -> None:
    assert api.refusal("GET", "/nothing")[:2] == (404, "NOT_FOUND")
    assert api.refusal("GET", "/jobs/", scope=None)[0] == 404
    answer = api("DELETE", "/jobs/b-1", scope=None)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, PATCH")
    assert answer.json()["error"]["code"] == "METHOD_NOT_ALLOWED"
    assert api("GET", "/jobs/b-1/cancel", scope=None).headers["allow"] == "POST"
    assert api("PUT", "/jobs/cancel", scope=None).headers["allow"] == "POST"  # no job is called so


@ON_ONE
def test_a_body_without_end_is_not_read(api: Api) -> None:
    api.add("b-1")
    parts = [b" " * 65_536] * (2 * MOST_BYTES // 65_536)
    refusal = api.refusal("POST", "/jobs/b-1/retry", content=iter(parts))
    assert refusal == (413, "TOO_LARGE", f"a body has {MOST_BYTES:,} bytes at most")
    assert api.data("GET", "/jobs/b-1")["state"] == "pending"


@pytest.mark.parametrize("sent", [b"{", b"[]", b'"x"', b"\xff\xfe", b"nul", b'{"a":' * 50_000])
@ON_ONE
def test_bodies_that_are_none(api: Api, sent: bytes) -> None:
    api.add("b-1")
    headers = {"Content-Type": "application/json"}
    status, code, _ = api.refusal("POST", "/jobs/b-1/retry", content=sent, headers=headers)
    assert (status, code) == (422, "INVALID_REQUEST")


@pytest.mark.parametrize(
    ("sent", "kind", "message"),
    [
        (
            b'{"pipeline": 1,\n "x": }',
            "application/json",
            "this is no JSON: Expecting value, line 2, column 7",
        ),
        (
            b'{"pipeline": "visualizer"}',
            "application/x-www-form-urlencoded",
            "Content-Type: application/json",
        ),
    ],
)
@ON_ONE
def test_bodies_that_are_none_are_told_in_words(api: Api, sent: bytes, kind: str, message: str) -> None:
    answer = api("POST", "/jobs", content=sent, headers={"Content-Type": kind})
    assert answer.status_code == 422
    (wrong,) = answer.json()["error"]["details"]
    assert wrong["field"] == "body"
    assert message in wrong["message"]


@ON_ONE
def test_head_is_get_without_a_body(api: Api) -> None:
    film = api.folder / "song_v1.mp4"
    film.write_bytes(b"film" * 100_000)
    api.add("b-1")
    api.complete("b-1", film)
    link = api.data("GET", "/jobs/b-1")["statusUrl"]
    answer = api("HEAD", "/jobs/b-1/artifacts/1")
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "400000")
    for path in (link, "/api/v1/events/stream"):
        answer = api("HEAD", path, prefix="", scope=None if path == link else "admin")
        assert (answer.status_code, answer.content) == (200, b""), path
    assert api("HEAD", "/jobs/b-1", scope=None).status_code == 401
    assert api("HEAD", "/jobs/nobody").status_code == 404


@ON_ONE
def test_every_time_is_written_in_one_form(api: Api) -> None:
    api.add("b-1")
    api.fail("b-1")
    api.data("POST", "/projects", json={"document": {"scenes": []}})
    for path in ("/jobs", "/batches", "/projects", "/keys"):
        told = json.dumps(api.data("GET", path))
        times = re.findall(r'"\d{4}-\d\d-\d\dT[^"]*"', told)
        assert times, path
        assert all(re.fullmatch(r'"[-0-9]{10}T[:0-9]{8}\.\d{3}Z"', each) for each in times), times


def test_the_database_is_asked_whether_it_is_there(api: Api) -> None:
    assert api.client.get("/readyz").status_code == 200
    api.kiln.database.close()
    assert api.client.get("/readyz").status_code == 200  # it was only put down


@ON_ONE
def test_who_sends_nothing_is_hung_up_on_when_the_server_ends(api: Api) -> None:
    host, port = api.client.base_url.host, api.client.base_url.port
    assert port is not None
    idle = socket.create_connection((host, port))
    slow = http.client.HTTPConnection(host, port)
    slow.putrequest("POST", "/api/v1/jobs/b-1/retry")
    slow.putheader("Content-Length", "100")
    slow.endheaders()
    time.sleep(0.2)
    assert api.client.get("/healthz").status_code == 200  # the others are answered
    idle.close()
    slow.close()


@ON_ONE
def test_a_key_may_ask_so_often(api: Api) -> None:
    api.client.get("/healthz")
    reached = api.app.state.reached
    now = time.monotonic()
    reached.throttle.clock = lambda: now  # however long four requests take
    reached.throttle.rate = 1.0
    answers = [api("GET", "/queues") for _ in range(4)]
    assert [each.status_code for each in answers] == [200, 200, 429, 429]
    assert answers[-1].headers["retry-after"] == "1"
    assert answers[-1].json()["error"]["code"] == "RATE_LIMITED"
    assert api("GET", "/queues", scope="read").status_code == 200


@ON_ONE
def test_a_body_that_stops_coming_is_not_waited_for(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passage, "PATIENCE", 0.3)
    url = httpx.URL(str(api.client.base_url))
    with socket.create_connection((url.host, url.port), timeout=10) as line:
        line.sendall(
            f"POST /api/v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.keys['admin']}\r\n"
            "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{".encode()
        )
        assert b" 408 " in line.recv(4096)


@ON_ONE
def test_a_body_that_trickles_is_not_waited_for(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passage, "WHOLE", 1.0)
    url = httpx.URL(str(api.client.base_url))
    with socket.create_connection((url.host, url.port), timeout=0.1) as line:
        line.sendall(b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
        for _ in range(900):
            try:
                answer = line.recv(4096)
                break
            except TimeoutError:
                line.sendall(b" ")
    assert b" 408 " in answer


@ON_ONE
def test_only_files_have_no_limit_of_a_body(api: Api) -> None:
    without = {
        (method, path)
        for path, methods in described(api).items()
        for method in methods
        if passage.is_file({"method": method.upper(), "path": path})
    }
    assert without == {("post", "/api/v1/assets"), ("patch", "/api/v1/uploads/{upload_id}")}
    big = {"url": "http://example.com/" + "x" * MOST_BYTES}
    assert (
        api("POST", "/assets/fetch", json=big, scope=None).status_code == 413
    )  # before its key is asked for
