"""A web server of our own with every fault, and a resolver that says what the test wants."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from renderkiln.media.download import Downloaded, download

CERTIFICATE = Path(__file__).with_name("media.test.pem")  # self-signed, for the name media.test

PUBLIC = "93.184.215.14"

Reply = Callable[["Handler"], object]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self.server.seen.append((self.path, dict(self.headers)))
        self.close_connection = True
        self.server.replies[self.path.partition("?")[0]](self)

    def send(self, status: int, body: bytes = b"", **headers: object) -> None:
        """A whole answer; `content_length` and any other header may lie."""
        self.head(status, **{"content_length": len(body), **headers})
        self.wfile.write(body)

    def head(self, status: int, **headers: object) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if value is not None:
                self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # some replies wait for ever

    def __init__(self, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        super().__init__((address, 0), Handler)
        self.replies: dict[str, Reply] = {}
        self.seen: list[tuple[str, dict[str, str]]] = []
        self._tls = tls
        threading.Thread(target=partial(self.serve_forever, poll_interval=0.02), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}{path}"

    def says(self, path: str, *arguments: Any, **options: Any) -> str:
        """The URL of `path`, which always gives this answer."""
        return self.does(path, lambda handler: handler.send(*arguments, **options))

    def does(self, path: str, reply: Reply) -> str:
        self.replies[path] = reply
        return self.url(path)

    def close(self) -> None:
        self.shutdown()
        self.server_close()

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self._tls:  # here, not in the accepting thread: a handshake may fail
            request = self._tls.wrap_socket(request, server_side=True)
        try:
            super().finish_request(request, client_address)
        finally:
            request.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are what these tests are about."""


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def tls_server() -> Iterator[tuple[Server, list[str | None]]]:
    """A server for https://media.test, and the names that clients asked it for (SNI)."""
    names: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    server = Server(tls=context)
    yield server, names
    server.close()


Get = Callable[..., Downloaded]


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def get(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Get:
    """`get(url, …)` downloads, from private servers too, up to 1 MB, and tries again at once."""
    monkeypatch.setattr("renderkiln.media.download._PAUSES", (0.01, 0.02))
    return partial(download, cache=cache, largest=1_000_000, allow_private=True)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """`names["a.test"] = [[first answer's addresses], [second's], …]`; no other name exists.

    It is the system's resolver that is replaced. Numeric addresses go through it as ever.
    """
    answers: dict[str, list[list[str]]] = {}
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *arguments: Any, **options: Any) -> list[Any]:
        name = host.decode() if isinstance(host, bytes) else host
        if name.replace(".", "").isdigit() or ":" in name:
            return real(host, port, *arguments, **options)
        if not answers.get(name):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        addresses = answers[name].pop(0)
        kinds = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in addresses]
        return [
            (kind, socket.SOCK_STREAM, 6, "", (address, port))
            for kind, address in zip(kinds, addresses, strict=True)
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return answers


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch, server: Server) -> list[tuple[str, int]]:
    """The public address of our server; sockets to any other are refused. Lists where they were to go.

    It is the system's `connect` that is replaced: no test may reach the real internet.
    """
    tried: list[tuple[str, int]] = []
    real = socket.create_connection

    def create_connection(address: tuple[str, int], *arguments: Any, **options: Any) -> socket.socket:
        tried.append(address)
        if address[0] != PUBLIC:
            raise ConnectionRefusedError(111, "Connection refused")
        return real(("127.0.0.1", server.port), *arguments, **options)

    monkeypatch.setattr(socket, "create_connection", create_connection)
    return tried
