"""The port on which a process says how it is: a few answers over HTTP, for probes and scrapers."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Generic, Self, TypeVar
from urllib.parse import urlsplit

from renderkiln.domain.clock import Clock
from renderkiln.domain.errors import UserError

T = TypeVar("T")

_log = logging.getLogger(__name__)
_PATIENCE = 5.0  # seconds that a request may take, however slowly its client writes and reads
_POLL = 0.1  # seconds between two looks whether it shall end


@dataclass(frozen=True)
class Answer:
    """A body, by default in JSON, and the HTTP status it comes with."""

    body: Mapping[str, Any] | bytes
    status: HTTPStatus = HTTPStatus.OK
    content_type: str = "application/json"


class Glance(Generic[T]):
    """The answer to a question that may take for ever: asked in a thread, and waited for `limit` seconds.

    It is asked at most once in `keep` seconds and never twice at a time, whoever looks.
    """

    def __init__(self, ask: Callable[[], T], clock: Clock, *, limit: float = 1.0, keep: float = 1.0) -> None:
        self._ask, self._clock, self._limit, self._keep = ask, clock, limit, keep
        self._lock = threading.Lock()
        self._asking: threading.Thread | None = None
        self._looked = float("-inf")
        self._found: T | None = None
        self._seen: T | None = None

    def look(self) -> T | None:
        """The answer, at most `keep` seconds old; None where there was none in time."""
        with self._lock:
            if self._clock.monotonic() - self._looked >= self._keep:
                self._seen = self._look_anew()
                self._looked = self._clock.monotonic()
            return self._seen

    def _look_anew(self) -> T | None:
        if self._asking is None or not self._asking.is_alive():
            self._found = None
            self._asking = threading.Thread(target=self._run, name="glance", daemon=True)
            self._asking.start()
        self._asking.join(self._limit)
        return None if self._asking.is_alive() else self._found

    def _run(self) -> None:
        try:
            self._found = self._ask()
        except Exception as error:  # noqa: BLE001  that there is no answer is the answer
            _log.debug("no answer: %s", error)


class HealthServer:
    """Answers GET and HEAD for the paths in `answers` on a listening socket while it is entered."""

    def __init__(self, opened: socket.socket, answers: Mapping[str, Callable[[], Answer]]) -> None:
        self._server = _Server(opened, type("Handler", (_Handler,), {"answers": answers}))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=[_POLL], name="health", daemon=True
        )

    @property
    def url(self) -> str:
        return url_of(self._server.socket)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def listening(host: str, port: int) -> socket.socket:
    """A socket for a server of health. `port` 0: any free one. Raises UserError where it cannot listen."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        opened = socket.socket(family, socket.SOCK_STREAM)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address[:2])
        opened.listen(16)
    except OSError as error:
        raise UserError(
            f"cannot listen on port {port} of {host}: {(error.strerror or str(error)).lower()}; choose "
            "another by --health-port (0: any free one) or RENDERKILN_HEALTH_HOST"
        ) from None
    return opened


def url_of(opened: socket.socket) -> str:
    """Where such a socket is reached."""
    host, port = opened.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, opened: socket.socket, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(opened.getsockname()[:2], handler, bind_and_activate=False)
        self.socket.close()
        self.socket = opened

    def handle_error(self, *_: object) -> None:
        _log.debug("a request for the health of this worker failed", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    answers: Mapping[str, Callable[[], Answer]]
    server_version, sys_version = "renderkiln", ""
    timeout = _PATIENCE

    def setup(self) -> None:
        super().setup()
        self._deadline = threading.Timer(_PATIENCE, self._hang_up)
        self._deadline.daemon = True
        self._deadline.start()

    def finish(self) -> None:
        self._deadline.cancel()
        super().finish()

    def do_GET(self) -> None:
        answer = self.answers.get(urlsplit(self.path).path)
        if answer is None:
            self.send_error(HTTPStatus.NOT_FOUND, f"there is only: {', '.join(self.answers)}")
        else:
            self._send(answer())

    do_HEAD = do_GET  # noqa: N815  the name is http.server's

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """As the base class does it, in JSON; it calls this for every request that it cannot read."""
        status = HTTPStatus(code)
        if status is HTTPStatus.NOT_IMPLEMENTED:  # what it says to methods that have no function here
            status, message = HTTPStatus.METHOD_NOT_ALLOWED, "only GET and HEAD are answered"
        self.close_connection = True
        self._send(Answer({"error": message or explain or status.phrase}, status))

    def log_message(self, *_: object) -> None:
        """Probes come every few seconds: nobody wants to read of them."""

    def _send(self, answer: Answer) -> None:
        body = answer.body
        if not isinstance(body, bytes):
            body = json.dumps(body).encode() + b"\n"
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if answer.status is HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _hang_up(self) -> None:
        with contextlib.suppress(OSError):  # it is over already
            self.connection.shutdown(socket.SHUT_RDWR)
