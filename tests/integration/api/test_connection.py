"""What comes over a connection before it is a request, or is none: it is bounded, refused and hung up on."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from renderkiln.api import connection

from .conftest import ON_ONE, Api

pytestmark = [pytest.mark.integration, ON_ONE]

CHUNKED = b"POST /api/v1/jobs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
ENDLESS = {
    "headers": (b"GET /healthz HTTP/1.1\r\n", b"X-%d: y\r\n" % 7 * 100),
    "one header": (b"GET /healthz HTTP/1.1\r\nX: ", b"y" * 1000),
    "address": (b"GET /", b"y" * 1000),
    "trailers": (CHUNKED + b"2\r\n{}\r\n0\r\n", b"X-%d: y\r\n" % 7 * 100),
    "size of a chunk": (CHUNKED + b"2;", b"y" * 1000),
    "empty lines": (b"", b"\r\n" * 500),
}
NO_REQUESTS = [
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nA: b\nB: c\r\n\r\n\r\n",
    b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
    # Its body would be taken for the next request.
    b"POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\n{}",
    b"POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
]


def test_what_has_no_end_is_hung_up_on(api: Api) -> None:
    for what, (begin, more) in ENDLESS.items():
        with _line(api) as line:
            line.sendall(begin)
            assert _sent(line, more) < 100_000_000, what
    assert api.client.get("/healthz").status_code == 200


def test_who_comes_when_too_many_are_there_is_told_so(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = connection.Connection.connection_made

    def made(self: connection.Connection, transport: Any) -> None:
        self.limit_concurrency = 1
        whole(self, transport)

    monkeypatch.setattr(connection.Connection, "connection_made", made)
    with _line(api) as line:
        line.sendall(b"GET /api/v1/jobs HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = _rest(line)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 5" in head.lower()
    assert b"x-content-type-options" in head.lower()
    assert json.loads(body)["error"]["code"] == "TOO_MANY_CONNECTIONS"
    assert httpx.get(f"{api.client.base_url}/healthz").status_code == 200


def test_what_is_no_request_is_refused(api: Api) -> None:
    for sent in NO_REQUESTS:
        with _line(api) as line:
            line.sendall(sent)
            answer = _rest(line)
        assert answer.startswith(b"HTTP/1.1 400 "), sent
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "BAD_REQUEST", sent


def test_a_head_that_does_not_come_is_not_waited_for(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "PATIENCE", 0.3)
    for sent in (b"", b"\r\n", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nHost: x\r\n"):
        with _line(api) as line:
            line.sendall(sent)
            assert _rest(line) == b"", sent


def test_nor_is_the_next_one(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    for sent in (b"\r\n", b"GET /healthz HT"):
        with _line(api) as line:
            line.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b" 200 " in line.recv(4096)
            monkeypatch.setattr(connection, "PATIENCE", 0.3)
            line.sendall(sent)
            assert b"HTTP/" not in _rest(line)
            monkeypatch.undo()


def test_what_comes_after_a_head_has_its_own_time(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "PATIENCE", 0.2)
    key, body = api.keys["submit"], json.dumps({"pipeline": "visualizer"}).encode()
    head = f"POST /api/v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
    with _line(api) as line:
        line.sendall(f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        time.sleep(0.5)
        line.sendall(body)
        assert b" 422 " in line.recv(4096)


def test_trailers_are_not_taken_for_headers(api: Api) -> None:
    with _line(api) as line:
        line.sendall(CHUNKED + b"2\r\n{}\r\n0\r\nAuthorization: Bearer " + api.keys["admin"].encode())
        line.sendall(b"\r\n\r\n")
        assert b" 401 " in line.recv(4096)


def _sent(line: socket.socket, more: bytes) -> int:
    """Bytes that are taken before the other side hangs up."""
    size = 0
    try:
        while size < 100_000_000:
            line.sendall(more)
            size += len(more)
    except ConnectionError:
        pass
    return size


def _rest(line: socket.socket) -> bytes:
    """All that comes until the other side hangs up."""
    return b"".join(iter(lambda: line.recv(4096), b""))


@contextmanager
def _line(api: Api) -> Iterator[socket.socket]:
    url = api.client.base_url
    with socket.create_connection((url.host, url.port or 80), timeout=20) as line:
        yield line


def test_nobody_sends_hundreds_of_requests_ahead(api: Api) -> None:
    with _line(api) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 200)
        said = b""
        while more := line.recv(1 << 16):
            said += more
    assert b"too many requests before the first is answered" in said or said.count(b"HTTP/1.1 200") < 20
    assert api.client.get("/healthz").status_code == 200
