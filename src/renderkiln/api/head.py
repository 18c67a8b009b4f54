"""HEAD, where a route answers GET alone: the same answer without its body, as `curl -I` asks for it."""

from __future__ import annotations

from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OWN = ("/files/", "/api/v1/uploads/")  # they answer HEAD themselves


class _Told(Exception):
    """All that HEAD asks for is sent: nobody makes the body, which may be a film or a stream without end."""


class Head:
    """An ASGI middleware between the passage and the routes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD" or scope["path"].startswith(_OWN):
            await self._app(scope, receive, send)
            return
        asked = {**scope, "method": "GET"}

        async def send_head(message: Message) -> None:
            scope["route"] = asked.get("route")  # for those outside, who count by it
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b""})
                raise _Told

        with suppress(_Told):
            await self._app(asked, receive, send_head)
