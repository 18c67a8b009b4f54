"""A line to a Postgres server that is cut in the moment of a COMMIT."""

from __future__ import annotations

import contextlib
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from databases import Postgres

_SOCKET = ".s.PGSQL.5432"
_COMMIT = b"COMMIT\x00"


class Line:
    """Passes everything on between clients and the server, from a socket in `folder`.

    Once `cut` is called, the next COMMIT of a transaction in which `words` were sent loses its connection:
    before the server gets it, or (`done`) when it was carried out and before the client hears of it.
    """

    def __init__(self, server: Path, folder: Path) -> None:
        self.cuts = 0
        self._server, self._words, self._done = server, b"", True
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(folder / _SOCKET))
        self._listening.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, words: str, *, done: bool) -> None:
        self._words, self._done = words.encode(), done

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)  # ends its accept
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(str(self._server))
            ends = (client, server, threading.Event())
            answers = threading.Thread(target=self._to_client, args=ends, daemon=True)
            answers.start()
            self._to_server(*ends)
            answers.join()

    def _to_server(self, client: socket.socket, server: socket.socket, mute: threading.Event) -> None:
        said = b""  # since the last COMMIT
        with _both_shut(client, server):
            while data := client.recv(65536):
                said += data
                if _COMMIT in data:
                    if self._words and self._words in said:
                        self._words, self.cuts = b"", self.cuts + 1
                        if not self._done:
                            return
                        mute.set()
                    said = b""
                server.sendall(data)

    def _to_client(self, client: socket.socket, server: socket.socket, mute: threading.Event) -> None:
        with _both_shut(client, server):
            while data := server.recv(65536):
                if mute.is_set():  # it has answered: the COMMIT is done
                    return
                client.sendall(data)


@contextmanager
def line_to(postgres: Postgres, url: str) -> Iterator[tuple[Line, str]]:
    """A line to the server, and the URL of the database at `url` through it."""
    folder = Path(tempfile.mkdtemp(prefix="kiln-line-"))  # short: so must be the path of a socket
    line = Line(postgres.folder / _SOCKET, folder)
    through = sa.make_url(url).update_query_dict({"host": str(folder)})
    try:
        yield line, through.render_as_string(hide_password=False)
    finally:
        line.close()
        shutil.rmtree(folder)


@contextmanager
def _both_shut(*sockets: socket.socket) -> Iterator[None]:
    try:
        with contextlib.suppress(OSError):
            yield
    finally:
        for each in sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
