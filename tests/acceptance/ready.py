"""Runs `renderkiln` in a fork of a process that has imported what others wrote: that is most of each start.

Nothing of ours is imported before the command is: its modules load in their own order, as in any start.
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import json
import os
import runpy
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

_OTHERS = (
    "alembic.command", "alembic.operations", "click", "dbos._client", "dbos._core", "numpy", "psycopg",
    "pydantic", "rich.progress", "rich.table", "skia", "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite",
)  # fmt: skip
_MESSAGE = 1 << 17  # bytes at most


def run(
    arguments: Sequence[str], folder: Path, environ: Mapping[str, str], seconds: float
) -> subprocess.CompletedProcess[str]:
    """What `python -m renderkiln` with these arguments comes to, in this folder and environment."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        order = json.dumps([list(arguments), str(folder), dict(environ)]).encode()
        line = _line()
        line.settimeout(seconds)
        socket.send_fds(line, [order], [out.fileno(), err.fileno()])
        status = int(line.recv(_MESSAGE))
        texts = [(file.seek(0), file.read().decode())[1] for file in (out, err)]
    return subprocess.CompletedProcess(arguments, status, *texts)


@functools.cache
def _line() -> socket.socket:
    """To the process that forks."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen(
        [sys.executable, __file__, str(its.fileno())],
        pass_fds=[its.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    its.close()

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def _serve(line: socket.socket) -> None:
    """Until the other end is closed. Comes back in a fork, too, when its command has ended."""
    for name in _OTHERS:
        importlib.import_module(name)
    gc.freeze()
    while True:
        order, files, *_ = socket.recv_fds(line, _MESSAGE, 2)
        if not order:
            return
        pid = os.fork()
        if pid == 0:
            line.close()
            arguments, folder, environ = json.loads(order)
            _become(arguments, folder, environ, files)
        for file in files:
            os.close(file)
        line.send(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())


def _become(arguments: list[str], folder: str, environ: dict[str, str], files: list[int]) -> None:
    for file, number in zip(files, (1, 2), strict=True):
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv[1:] = arguments
    sys.path[0] = folder
    runpy.run_module("renderkiln", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
