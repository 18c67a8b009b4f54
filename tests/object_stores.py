"""Real S3 servers for tests, and a real proxy in front of one, which can be told to misbehave.

`rclone serve s3` checks signatures; moto knows ranges and conditional requests. What a server lacks is in
`LACKS`, with the reason, and nowhere else.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx
import pytest

from renderkiln.storage.bucket import Bucket

ACCESS_KEY = "kilnaccesskey"
SECRET_KEY = "kilnsecretkey-never-in-a-message"
BUCKET = "kiln"
KINDS = ("local", "rclone", "moto")
PAGE = 40  # files that moto lists in one answer; S3: 1,000

LACKS: Mapping[str, Mapping[str, str]] = {
    "local": {
        "folders": "`a` is a file or a folder, as on every disk",
        "presigned": "its URLs are signed and served by us: tests/unit/storage/test_signed.py",
        "http": "nothing serves it by itself",
    },
    "rclone": {
        "atomic-if-absent": "it ignores If-None-Match: only our look beforehand protects a file",
        "disposition": "it ignores response-content-disposition",
        "folders": "it keeps its objects as files on a disk",
        "delete-folders": "asked to delete a folder it answers 500; asked for `a/b`, it deletes the file `a`",
        "anonymous": "with keys, it answers nobody without them",
    },
    "moto": {
        "signatures": "it takes every signature, a wrong one too",
    },
}

_MOTO = """
import sys, logging
logging.getLogger("werkzeug").disabled = True
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print("http://%s:%s" % server.get_host_and_port(), flush=True)
sys.stdin.read()
"""


@dataclass
class ObjectStore:
    """A running server. `bucket()` gives each caller a prefix of its own in it."""

    kind: str
    endpoint: str
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def bucket(self, **changes: Any) -> Bucket:
        facts: dict[str, Any] = {
            "name": BUCKET,
            "access_key": ACCESS_KEY,
            "secret_key": SECRET_KEY,
            "endpoint": self.endpoint,
            "prefix": f"test{next(self._numbers)}",
        }
        return Bucket(**{**facts, **changes})


@pytest.fixture(scope="session")
def moto() -> Iterator[ObjectStore]:
    process = subprocess.Popen(
        [sys.executable, "-c", _MOTO],
        env={**os.environ, "MOTO_S3_DEFAULT_MAX_KEYS": str(PAGE)},
        stdin=subprocess.PIPE,  # it ends when this closes, however our process ends
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    endpoint = process.stdout.readline().strip()
    assert endpoint, "moto did not start"
    httpx.put(f"{endpoint}/{BUCKET}").raise_for_status()
    yield ObjectStore("moto", endpoint)
    process.communicate(timeout=30)


@pytest.fixture(scope="session")
def rclone() -> Iterator[ObjectStore]:
    with rclone_at("127.0.0.1") as store:
        yield store


@contextlib.contextmanager
def rclone_at(address: str) -> Iterator[ObjectStore]:
    """A server with an empty bucket that listens there."""
    folder = Path(tempfile.mkdtemp(prefix="kiln-s3-"))
    (folder / "data" / BUCKET).mkdir(parents=True)
    arguments = ["serve", "s3", "--addr", f"{address}:0", "--auth-key", f"{ACCESS_KEY},{SECRET_KEY}"]
    with serving([*arguments, str(folder / "data")], folder / "none") as endpoint:
        yield ObjectStore("rclone", endpoint)
    shutil.rmtree(folder)


@contextlib.contextmanager
def serving(arguments: list[str], config: Path, environ: Mapping[str, str] | None = None) -> Iterator[str]:
    """Where rclone with these arguments answers; its environment is ours, and `environ`."""
    keeper = subprocess.Popen(
        ["sh", "-c", '"$@" & read -r _; kill $!', "sh", _rclone(), "--config", config, *arguments],
        env={**os.environ, **(environ or {})},
        stdin=subprocess.PIPE,  # the server is killed when this closes, however our process ends
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert keeper.stderr is not None
    said = []
    for line in keeper.stderr:
        said.append(line)
        if found := re.search(r"http://[\d.]+:\d+", line):
            break
    else:
        raise AssertionError(f"rclone did not start: {said}")
    drain = threading.Thread(target=keeper.stderr.read, daemon=True)  # else its pipe would fill up
    drain.start()
    try:
        yield found[0]
    finally:
        assert keeper.stdin is not None
        keeper.stdin.close()
        keeper.wait(timeout=30)
        drain.join()
        keeper.stderr.close()


Fault = Literal["500", "503", "404", "cut", "mute", "slow", "short", "flip", "pass"]


class Proxy(ThreadingHTTPServer):
    """Passes requests on to a server. Each takes the next of `faults`, if one is left and it concerns it.

    `500`, `503`, `404`: answered so. `cut`: the connection ends in the middle of what is sent. `mute`: no
    answer. `slow`: nothing is read for a while. `short`: the answer ends in its middle. `flip`: a bit of what
    is sent is changed. `pass`: nothing.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = urlsplit(upstream).netloc
        self.faults: deque[Fault] = deque()
        self.concerns = re.compile(".")  # of "METHOD path?query"
        self.seen: list[str] = []
        self.headers: list[dict[str, str]] = []  # of each, in lower case
        self.over = threading.Event()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def fault(self, request: str) -> Fault:
        self.seen.append(request)
        return self.faults.popleft() if self.faults and self.concerns.search(request) else "pass"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients go away in the middle: that is what the tests are about."""

    def close(self) -> None:
        self.over.set()
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def _pass_on(self) -> None:
        fault = self.server.fault(f"{self.command} {self.path}")
        self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
        length = int(self.headers.get("content-length", 0))
        if fault == "cut":
            self.rfile.read(length // 2)
            self._hang_up()
            return
        if fault == "slow":
            self.server.over.wait(0.5)
        body = self.rfile.read(length)
        if fault == "mute":
            self.server.over.wait(30)
            self._hang_up()
        elif fault.isdigit():
            self.send_response(int(fault))
            self.send_header("content-length", "0")
            self.end_headers()
        else:
            self._answer(bytes([body[0] ^ 1]) + body[1:] if fault == "flip" else body, short=fault == "short")

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass_on  # noqa: N815

    def _answer(self, body: bytes, *, short: bool) -> None:
        # Whose client goes away in the middle leaves no connection behind.
        with contextlib.closing(http.client.HTTPConnection(self.server.upstream, timeout=60)) as upstream:
            self._pass_back(upstream, body, short=short)
        if short:
            self._hang_up()

    def _pass_back(self, upstream: http.client.HTTPConnection, body: bytes, *, short: bool) -> None:
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():  # the host too: it is signed
            upstream.putheader(name, value)
        upstream.endheaders(body)
        answer = upstream.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        told = {"transfer-encoding", "connection", "content-length"}
        for name, value in answer.getheaders():
            if name.lower() not in told:
                self.send_header(name, value)
        length = answer.getheader("content-length") if self.command == "HEAD" else None
        self.send_header("content-length", length or str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if short else content)

    def _hang_up(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(2)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def proxy(moto: ObjectStore) -> Iterator[Proxy]:
    """A proxy in front of moto."""
    opened = Proxy(moto.endpoint)
    yield opened
    opened.close()


def uploads_left(moto: ObjectStore, bucket: Bucket) -> list[str]:
    """The keys of the bucket's multipart uploads that were begun and neither finished nor aborted."""
    answer = httpx.get(f"{moto.endpoint}/{BUCKET}?uploads").raise_for_status()
    return re.findall(rf"<Key>({bucket.prefix}/[^<]*)</Key>", answer.text)


def _rclone() -> str:
    found = shutil.which("rclone", path=sysconfig.get_path("scripts")) or shutil.which("rclone")
    assert found is not None, "rclone is missing: install the extra `dev`"
    return found
