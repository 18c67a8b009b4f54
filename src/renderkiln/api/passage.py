"""What every request passes: it gets an id, its body has a limit, and its answer safe headers."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from renderkiln.api.envelope import Refused, failed

_log = logging.getLogger(__name__)
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
# Of what is reached by a signed link: pages of others may show it, as whoever has the link may.
_SHARED = (
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"content-range, etag, x-request-id"),
)
MOST_BYTES = 1 << 20  # of a body in JSON
PATIENCE = 20.0  # seconds without a byte of one
WHOLE = 60.0  # seconds for all of it


class Passage:
    """An ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        request_id = given if _ID.fullmatch(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id

        begun = False

        async def send_with_headers(message: Message) -> None:
            nonlocal begun
            begun = True
            if message["type"] == "http.response.start":
                if is_linked(scope):
                    message["headers"] += _SHARED
                present = {name for name, _ in message["headers"]}
                message["headers"] += [each for each in _HEADERS if each[0] not in present]
                message["headers"].append((b"x-request-id", request_id.encode()))
                if b"cache-control" not in present:
                    message["headers"].append((b"cache-control", b"no-store"))
            await send(message)

        if _is_encoded(scope):
            told = "a body is taken as it is: send it without Content-Encoding"
            refused = Refused(415, "BODY_ENCODED", told)
            await failed(Request(scope), refused)(scope, receive, send_with_headers)
            return
        try:
            await self._app(scope, receive if is_file(scope) else _limited(receive), send_with_headers)
        except Exception:
            _log.exception("%s %s failed, request %s", scope["method"], scope["path"], request_id)
            if begun:
                raise  # half of an answer is there: nothing can be said any more but that it ends
            request = Request(scope)
            refused = Refused(500, "INTERNAL", "something is broken here; the log says what, by requestId")
            await failed(request, refused)(scope, receive, send_with_headers)


def _is_encoded(scope: Mapping[str, Any]) -> bool:
    """Whether its body would have to be unpacked: a few bytes could become gigabytes."""
    given = (value.lower() for name, value in scope["headers"] if name == b"content-encoding")
    return any(each not in {b"", b"identity"} for each in given)


def is_linked(scope: Mapping[str, Any]) -> bool:
    """Whether it is reached by a link of ours, or what says that it is one."""
    return scope["method"] in {"GET", "HEAD"} and b"signature=" in scope["query_string"]


def is_file(scope: Mapping[str, Any]) -> bool:
    """Whether the body is a file, of which its route takes as much as it may have."""
    match scope["method"]:
        case "POST":
            return bool(scope["path"] == "/api/v1/assets")
        case "PATCH":
            return bool(scope["path"].startswith("/api/v1/uploads/"))
    return False


def _limited(receive: Receive) -> Receive:
    """Reads no further in a body that grows beyond what anybody needs."""
    taken, ended, end = 0, False, None

    async def receive_some() -> Message:
        nonlocal taken, ended, end
        if ended:  # what comes now is that somebody has gone
            return await receive()
        now = asyncio.get_running_loop().time()
        end = now + WHOLE if end is None else end
        try:
            async with asyncio.timeout(min(PATIENCE, end - now)):
                message = await receive()
        except TimeoutError:
            told = f"the body took more than {WHOLE:g} s, or no byte of it came for {PATIENCE:g} s"
            raise HTTPException(408, told) from None
        ended = not message.get("more_body", False)
        taken += len(message.get("body", b""))
        if taken > MOST_BYTES:
            raise HTTPException(413, f"a body has {MOST_BYTES:,} bytes at most")
        return message

    return receive_some
