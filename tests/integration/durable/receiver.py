"""A web server that takes webhooks: each request as it came, each answer as the test wants it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook


@dataclass(frozen=True)
class Taken:
    headers: dict[str, str]
    body: str

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """The payload, its signature checked as receivers do."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass
class Receiver:
    """`answers` are given in turn, the last one from then on: a status, or what to do with the request."""

    url: str
    answers: list[int | Callable[[BaseHTTPRequestHandler], object]] = field(default_factory=lambda: [200])
    headers: dict[str, str] = field(default_factory=dict)
    taken: list[Taken] = field(default_factory=list)

    def of(self, *types: str, secret: str) -> list[Any]:
        """The payloads of these types."""
        return [each for each in (one.verified(secret) for one in self.taken) if each["type"] in types]


@contextmanager
def receiving() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            receiver.taken.append(Taken({key.lower(): value for key, value in self.headers.items()}, body))
            answer = receiver.answers[0] if len(receiver.answers) == 1 else receiver.answers.pop(0)
            if callable(answer):
                answer(self)
                return
            self.send_response(answer)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"thank you")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False  # some answers never end
    receiver = Receiver(f"http://127.0.0.1:{server.server_address[1]}/hook")
    threading.Thread(target=partial(server.serve_forever, poll_interval=0.02), daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
