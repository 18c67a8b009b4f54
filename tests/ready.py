"""Python programs as processes of their own, each a fork of one that has imported what takes long.

That is most of a start. `renderkiln` itself is not among it where its commands are tried: its modules load in
their own order, as in any start.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

COMMAND = "renderkiln"
_OTHERS = (
    "alembic.command", "alembic.operations", "click", "dbos._client", "dbos._core", "numpy", "psycopg",
    "pydantic", "rich.progress", "rich.table", "skia", "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite",
)  # fmt: skip
_OURS = ("renderkiln.app", "renderkiln.engine.room")
_MESSAGE = 1 << 17  # bytes at most


class Process:
    """Like a `Popen`: one that runs, or has run."""

    def __init__(self, arguments: Sequence[str], line: socket.socket) -> None:
        self.args = arguments
        self.pid = int(line.recv(_MESSAGE))
        self.returncode: int | None = None
        self._line = line

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status, negative for a signal. Raises TimeoutExpired."""
        if self.returncode is None:
            self._line.settimeout(timeout)
            try:
                self.returncode = int(self._line.recv(_MESSAGE))
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(self.args, timeout or 0.0) from None
            self._line.close()
        return self.returncode

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0.0)
        return None

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def start(
    arguments: Sequence[str],
    folder: Path,
    environ: Mapping[str, str],
    out: int = 1,
    err: int = 2,
    *,
    ours: bool = False,
) -> Process:
    """What `python` with these arguments comes to, in this folder and environment.

    The first argument is the path of a script, or COMMAND. With `ours`, our modules are imported, too. What
    `/proc` shows as its environment and its command line is another one's.
    """
    line, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its:
        order = json.dumps([list(arguments), str(folder), dict(environ)]).encode()
        socket.send_fds(_server(ours), [order], [its.fileno(), out, err])
    return Process(arguments, line)


def run(
    arguments: Sequence[str], folder: Path, environ: Mapping[str, str], seconds: float
) -> subprocess.CompletedProcess[str]:
    """What `python -m renderkiln` with these arguments comes to, in this folder and environment."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = start([COMMAND, *arguments], folder, environ, out.fileno(), err.fileno(), ours=False)
        status = process.wait(seconds)
        texts = [(file.seek(0), file.read().decode())[1] for file in (out, err)]
    return subprocess.CompletedProcess(arguments, status, *texts)


@functools.cache
def _server(ours: bool) -> socket.socket:
    """The line to the process that forks."""
    line, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen(
        [sys.executable, __file__, str(its.fileno()), *_OTHERS, *(_OURS if ours else ())],
        pass_fds=[its.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    its.close()

    def end() -> None:
        line.close()
        process.wait()

    atexit.register(end)
    return line


def _serve(orders: socket.socket, modules: Sequence[str]) -> None:
    """Until the other end is closed. Comes back in a fork, too, when its program has ended."""
    for name in modules:
        importlib.import_module(name)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the keepers are nobody's to wait for
    while True:
        order, files, *_ = socket.recv_fds(orders, _MESSAGE, 3)
        if not order:
            return
        if os.fork() == 0:
            orders.close()
            arguments, folder, environ = json.loads(order)
            if _is_the_program(*files):
                _become(arguments, folder, environ)
                return
        for file in files:
            os.close(file)


def _is_the_program(line: int, out: int, err: int) -> bool:
    """Fork again: the keeper, which never comes back, says what process it is, and what becomes of it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid != 0:
        _tell(line, pid)
        _tell(line, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        os._exit(0)
    for file, number in ((out, 1), (err, 2)):
        os.dup2(file, number)
    for file in (line, out, err):
        os.close(file)
    return True


def _tell(line: int, number: int) -> None:
    with contextlib.suppress(OSError):  # nobody may listen any more
        os.write(line, str(number).encode())


def _become(arguments: list[str], folder: str, environ: dict[str, str]) -> None:
    os.chdir(folder)
    os.environ.clear()
    # Where coverage is measured, it is of this process; its children are stages, which cannot write it down.
    os.environ.update({key: value for key, value in environ.items() if not key.startswith("COVERAGE_")})
    sys.path[1:1] = [each for each in environ.get("PYTHONPATH", "").split(os.pathsep) if each not in sys.path]
    program, *sys.argv[1:] = arguments
    if program == COMMAND:
        sys.path[0] = folder
        runpy.run_module(COMMAND, run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = str(Path(program).parent)
        sys.argv[0] = program
        runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:])
