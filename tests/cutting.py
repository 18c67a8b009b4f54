"""A proxy on loopback that cuts connections, as networks do."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Cuts:
    """The next connections break off after so many bytes to, or from, the server."""

    up: list[int] = field(default_factory=list)
    down: list[int] = field(default_factory=list)
    made: int = 0


@contextmanager
def cutting(url: str) -> Iterator[tuple[str, Cuts]]:
    """An address that leads to `url`, as long as nothing is cut."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    target, cuts = (parts.hostname, parts.port), Cuts()
    open_: set[socket.socket] = set()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(target) as far:
                open_.update(both := {self.request, far})
                back = threading.Thread(target=_pour, args=(far, self.request, cuts.down, cuts))
                back.start()
                _pour(self.request, far, cuts.up, cuts)
                back.join()
                open_.difference_update(both)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", cuts
        server.shutdown()
        thread.join()
        _shut(*open_)


def _pour(source: socket.socket, sink: socket.socket, limits: list[int], cuts: Cuts) -> None:
    """Until its end, or where a limit is set, until that many bytes have passed."""
    passed = 0
    with contextlib.suppress(OSError):
        while some := source.recv(65536):
            some = some[: limits[0] - passed] if limits and limits[0] > passed else some
            passed += len(some)
            sink.sendall(some)
            if limits and passed >= limits[0]:
                del limits[0]
                cuts.made += 1
                break
    _shut(source, sink)


def _shut(*sockets: socket.socket) -> None:
    for each in sockets:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
