"""The process that answers: uvicorn around the application, ended by our own signals."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from renderkiln.api.connection import Connection
from renderkiln.api.sse import Hub
from renderkiln.domain.errors import UserError
from renderkiln.storage.addresses import origin

GRACE = 2  # seconds that open requests have to end
_MOST_REQUESTS = 1000  # at once; further ones are told to come back


class Server:
    """Answers for `app` on one address. `port` 0: any free one. Raises UserError where it cannot listen."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        self._socket = _listening(host, port)
        config = uvicorn.Config(
            app,
            http=Connection,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            proxy_headers=False,  # who is believed about addresses is for its operator to say
            timeout_keep_alive=15,
            timeout_graceful_shutdown=GRACE,
            limit_concurrency=_MOST_REQUESTS,
        )
        self._server = _Uvicorn(config, app.state.hub)

    @property
    def port(self) -> int:
        port: int = self._socket.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return origin(self._socket.getsockname()[0], self.port)

    def run(self) -> None:
        """Until `stop` is called, by any thread."""
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Take no more requests, and return from `run` when those that are open have ended."""
        if self._server.should_exit:
            self._server.force_exit = True
        self._server.should_exit = True


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, hub: Hub) -> None:
        super().__init__(config)
        self._hub = hub

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Streams never end by themselves: nobody is to wait for them."""
        await self._hub.close()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Not here: who runs the server hears them, and would be killed by the one that is raised again."""
        yield


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # With its protocol: asyncio asks for that before it sets TCP_NODELAY, without which the body of an
        # answer waits up to 40 ms until its head is acknowledged.
        opened = socket.socket(family, kind, protocol)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.listen(512)
    except (OSError, UnicodeError) as error:  # the latter: a name that none has
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise UserError(
            f"cannot listen on port {port} of {host}: {reason}; choose "
            "another by --port (0: any free one) and --host"
        ) from None
    return opened
