"""Forks the processes that stages run in.

Run as a file, once per engine: it stays single-threaded, so forking is safe, and it has the heavy modules
loaded, so a new stage starts in milliseconds. (multiprocessing's own fork server imports the user's
`__main__` again and cannot tell what a child used.)

Its parent sends one byte and file descriptors over the control socket: the line to the stage, the log, and
any that the child shall merely keep open. The request is the first line on that line. When the parent is
gone, by whatever death, every child's process group is killed. Standard library only: nothing of renderkiln
can be imported before the first request says where it lies.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

MAX_FDS = 8
_PARENT_CHECK = 1.0  # seconds; a process forked off by our parent may hold the control socket open
_PATIENCE = 5.0  # seconds a parent may take to hear that its child ended
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


class Forkserver:
    """The server's state: its children and the lines to their parents."""

    def __init__(self, control: socket.socket, parent: int) -> None:
        self._control = control
        self._parent = parent
        self._lines: dict[int, socket.socket] = {}
        self._wake, self._wake_writer = socket.socketpair()
        for end in (self._wake, self._wake_writer):
            end.settimeout(0)

    def serve(self) -> None:
        """Until the parent is gone."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake_writer.fileno(), warn_on_full_buffer=False)
        for deaf in (signal.SIGINT, signal.SIGTERM):  # whether to stop is the parent's business
            signal.signal(deaf, signal.SIG_IGN)
        while os.getppid() == self._parent:
            ready, _, _ = select.select([self._control, self._wake], [], [], _PARENT_CHECK)
            if self._wake in ready:
                self._wake.recv(4096)
                self._reap()
            if self._control in ready and not self._accept():
                break
        self._kill_all()

    def _accept(self) -> bool:
        """Take one request; False when the parent has closed the line."""
        byte, fds, _, _ = socket.recv_fds(self._control, 1, MAX_FDS)
        if not byte or len(fds) < 2:
            return False
        line, log, *kept = fds
        with socket.socket(fileno=line) as connection:
            request = _read_request(connection)
            if request is not None:
                self._fork(connection, log, request)
        for fd in (log, *kept):
            os.close(fd)
        return True

    def _fork(self, line: socket.socket, log: int, request: Mapping[str, Any]) -> None:
        sys.path[:] = request["path"]
        preload(request["preload"])
        server = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._leave()
            _become_stage(line, log, request, server)
        with contextlib.suppress(OSError):  # the child does it too: whoever is first
            os.setpgid(pid, pid)
        self._lines[pid] = line.dup()
        _tell(line, {"kind": "forked", "pid": pid})

    def _leave(self) -> None:
        """In the child: let go of what belongs to the server, above all the lines of other stages."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for each in (self._control, self._wake, self._wake_writer, *self._lines.values()):
            each.close()

    def _reap(self) -> None:
        for pid in list(self._lines):
            ended, status, usage = os.wait4(pid, os.WNOHANG)
            if ended:
                _kill_group(pid)  # what the stage left running
                with self._lines.pop(pid) as line:
                    line.settimeout(_PATIENCE)  # not before: it would hold for the child's end as well
                    _tell(line, {"kind": "exited", **_how(status, usage)})

    def _kill_all(self) -> None:
        for pid in self._lines:
            _kill_group(pid)
        for pid in self._lines:
            os.waitpid(pid, 0)


def preload(modules: Sequence[str]) -> None:
    """Import what is not loaded yet. What cannot be imported is left for the stage to complain about."""
    new = [name for name in modules if name not in sys.modules]
    for name in new:
        with contextlib.suppress(BaseException):
            importlib.import_module(name)
    if new:
        gc.collect()
        gc.freeze()  # the collector must not touch, and so copy, pages that all children share


def _read_request(line: socket.socket) -> Any:
    with line.makefile("rb") as lines:
        text = lines.readline()
    return json.loads(text) if text.endswith(b"\n") else None


def _become_stage(line: socket.socket, log: int, request: Mapping[str, Any], server: int) -> None:
    """Run the stage and end the process, whatever happens."""
    status = 1
    try:
        os.setpgid(0, 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        os.chdir(request["folder"])
        os.nice(request["nice"])
        importlib.import_module(request["module"]).main(line, request["work"], server)
        status = 0
    except BaseException:  # noqa: BLE001  the border of the process
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)  # not sys.exit: nothing of the server's own must run twice


def _tell(line: socket.socket, message: Mapping[str, Any]) -> None:
    """Starts with a line break: a stage that was killed may have left half a line."""
    with contextlib.suppress(OSError):
        line.sendall(b"\n" + json.dumps(message).encode() + b"\n")


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: EPERM for a group of zombies
        os.killpg(pid, signal.SIGKILL)


def _how(status: int, usage: Any) -> dict[str, Any]:
    return {
        "status": os.waitstatus_to_exitcode(status),
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_bytes": usage.ru_maxrss * _RSS_UNIT,
    }


if __name__ == "__main__":
    preload(sys.argv[3:])
    Forkserver(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])).serve()
