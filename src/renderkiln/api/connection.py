"""One connection, as uvicorn and httptools speak HTTP/1.1 over it, within bounds that neither has."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import Request
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.flow_control import service_unavailable
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from renderkiln.api.envelope import Refused, failed
from renderkiln.api.passage import Passage

MOST_BYTES = 64 << 10  # of a head, or of what stands around pieces of a body
PATIENCE = 20.0  # seconds for a whole head
_ALWAYS = {"/healthz", "/readyz"}  # who is asked so often must not be taken for dead
MOST_AHEAD = 8  # requests that somebody sends before the first of them is answered


class Connection(HttpToolsProtocol):
    """Closed where a head does not end, soon or at all. Trailers say nothing here."""

    _loose = 0  # bytes since the last that had an end, more or less
    _in_head = False
    _waiting: asyncio.TimerHandle | None = None
    _answering: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        if (
            self._answering is not None
        ):  # uvicorn tells only the newest request, and others may wait before it
            self._answering.disconnected = True
            self._answering.message_event.set()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering = cycle
        if app is service_unavailable:  # uvicorn's answer where too many are connected is a bare text
            app = self.app if cycle.scope["path"] in _ALWAYS else _too_many
        super()._start_asgi_task(cycle, app)

    def data_received(self, data: bytes) -> None:
        self._loose += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._loose > MOST_BYTES:
            self.send_400_response("The head of the request is too large.")
        elif self._waiting is None and (self._in_head or self.cycle is None or self.cycle.response_complete):
            self._wait()

    def send_400_response(self, msg: str) -> None:
        answer = failed(Request({"type": "http"}), Refused(400, "BAD_REQUEST", msg))
        headers = b"".join(name + b": " + value + b"\r\n" for name, value in answer.raw_headers)
        head = STATUS_LINE[400] + headers + b"connection: close\r\n\r\n"
        self.transport.write(head + bytes(answer.body))
        self.transport.close()

    def on_message_begin(self) -> None:
        self._in_head = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # else a trailer, which would become one of the headers that were acted on
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head, self._loose = False, 0
        self._wait_no_more()
        # The parser takes no body from who wants another protocol: what followed would be the next request.
        if self.parser.should_upgrade() and any(map(_announces_a_body, self.headers)):
            raise ValueError("a request with a body cannot ask for another protocol")
        if len(self.pipeline) >= MOST_AHEAD:
            raise ValueError("too many requests before the first is answered")
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._loose = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._loose = 0
        super().on_message_complete()

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(PATIENCE, self._give_up)

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        self._waiting = None
        answers = self._answering is not None and not self._answering.response_complete
        if not answers and not self.transport.is_closing():
            self.transport.close()


async def _too_many(scope: Any, receive: Any, send: Any) -> None:
    """Said without a look at the request. uvicorn's types are its own."""
    headers = {"Retry-After": "5", "Connection": "close"}
    refused = Refused(503, "TOO_MANY_CONNECTIONS", "too many are connected: come again", headers=headers)

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await failed(Request(scope), refused)(scope, receive, send)

    await Passage(answer)(scope, receive, send)


def _announces_a_body(header: tuple[bytes, bytes]) -> bool:
    name, value = header
    return name == b"transfer-encoding" or (name == b"content-length" and value.strip() != b"0")
