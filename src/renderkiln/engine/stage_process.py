"""The process a stage runs in, seen from the engine: its messages, its end, and how it is stopped."""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from renderkiln.engine import forkserver

Message = Mapping[str, Any]

_TICK = 0.1  # seconds between looks at the wish to stop
_GRACE = 1.0  # seconds from SIGTERM to SIGKILL
_CHILD = "renderkiln.engine.stage_child"


@dataclass(frozen=True)
class Exit:
    """How a stage's process ended. `status` is negative for a signal, None when nobody could say."""

    status: int | None
    cpu_seconds: float = 0.0
    peak_bytes: int = 0
    silent: bool = False  # killed by us because nothing was heard of it


class ForkServer:
    """The engine's hold on its fork server, which is started when it is first needed.

    A context manager. Safe to use from several threads. A server that died is replaced for the next stage.
    """

    def __init__(self) -> None:
        self._preload: tuple[str, ...] = ()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self, preload: Sequence[str] = ()) -> None:
        """Start it now, so that it loads these modules while the caller does something else."""
        with self._lock:
            self._preload = (_CHILD, *preload)
            self._alive()

    def send(self, fds: Sequence[int]) -> None:
        """Hand over the descriptors of one request."""
        with self._lock:
            try:
                socket.send_fds(self._alive(), [b"+"], fds)
            except (BrokenPipeError, ConnectionResetError):  # it died a moment ago
                self._discard()
                socket.send_fds(self._alive(), [b"+"], fds)

    def close(self) -> None:
        """End the server and with it every stage that is still running."""
        with self._lock:
            self._discard()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _alive(self) -> socket.socket:
        if self._process is None or self._control is None or self._process.poll() is not None:
            self._discard()
            self._process, self._control = _start(self._preload)
        return self._control

    def _discard(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:  # still importing: it has no children yet
                self._process.kill()
                self._process.wait()
            self._process = None


class StageProcess:
    """One stage in a process of its own. A context manager that leaves no process behind.

    `work` is what `main` of `module` gets, by default of `engine.stage_child`; `kept` are descriptors the
    child holds open until it ends. `silence` is how many seconds may pass without a message.
    """

    def __init__(
        self,
        server: ForkServer,
        work: Mapping[str, Any],
        *,
        log: int,
        preload: Sequence[str] = (),
        nice: int = 0,
        kept: Sequence[int] = (),
        silence: float | None = None,
        module: str = _CHILD,
    ) -> None:
        self._silence = silence
        self._pid: int | None = None
        self._exit: Exit | None = None
        self._silent = False
        self._killed_at: float | None = None
        self._line, theirs = socket.socketpair()
        request = {
            "path": [entry for entry in sys.path if entry],  # not '': what lies in the current folder is data
            "preload": [module, *preload],
            "module": module,
            "folder": str(Path.cwd()),
            "nice": nice,
            "work": work,
        }
        with theirs:
            server.send([theirs.fileno(), log, *kept])
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the end of the line says it again
            self._line.sendall(json.dumps(request).encode() + b"\n")

    def run(self, handle: Callable[[Message], None], stop: threading.Event | None = None) -> Exit:
        """Pass on messages until the process has ended.

        A `part` is acknowledged once `handle` has returned. When `stop` is set the process group is asked to
        end, and killed a second later. What `handle` raises ends the process too, and is raised again.
        """
        self._line.settimeout(_TICK)
        heard = time.monotonic()
        for chunk in self._chunks():
            now = time.monotonic()
            if chunk:
                heard = now
            elif self._silence is not None and now - heard > self._silence:
                self._silent = True
                self._signal(signal.SIGKILL)
            if stop is not None and stop.is_set():
                self._stop(now)
            for message in chunk:
                self._take(message, handle)
        return self._exit or self._lost()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._exit is None:
            self._end()
        self._line.close()

    def _chunks(self) -> Iterator[list[Message]]:
        """The messages that came, now and then none; ends with the process, or when its line breaks."""
        rest = b""
        while self._exit is None:
            try:
                data = self._line.recv(1 << 16)
            except TimeoutError:
                yield []
                continue
            except ConnectionResetError:
                data = b""
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            yield [message for line in lines if line and (message := _parsed(line))]

    def _take(self, message: Message, handle: Callable[[Message], None]) -> None:
        match message["kind"]:
            case "forked":
                self._pid = message["pid"]
            case "exited":
                usage = (message["cpu_seconds"], message["peak_bytes"])
                self._exit = Exit(message["status"], *usage, silent=self._silent)
            case "part":
                handle(message)
                with contextlib.suppress(OSError):  # it may be gone by now; its part is recorded all the same
                    self._line.sendall(b"+")
            case _:
                handle(message)

    def _stop(self, now: float) -> None:
        if self._pid is None:
            return
        if self._killed_at is None:
            self._killed_at = now
            self._signal(signal.SIGTERM)
        elif now - self._killed_at > _GRACE:
            self._signal(signal.SIGKILL)

    def _end(self) -> None:
        """Kill it and wait until it is gone, so that nobody writes into its folder any more."""
        self._killed_at = -math.inf
        now = threading.Event()
        now.set()
        self.run(lambda _: None, now)

    def _signal(self, number: signal.Signals) -> None:
        if self._pid is not None and self._exit is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, number)

    def _lost(self) -> Exit:
        """The fork server died: nobody else ends the stage now, and nobody knows how it ended."""
        self._signal(signal.SIGKILL)
        return Exit(None, silent=self._silent)


def _start(preload: Sequence[str]) -> tuple[subprocess.Popen[bytes], socket.socket]:
    ours, theirs = socket.socketpair()
    with theirs:
        fd = theirs.fileno()
        process = subprocess.Popen(
            # As a file and with -P: the current folder holds users' files and is no place to import from.
            [sys.executable, "-P", forkserver.__file__, str(fd), str(os.getpid()), *preload],
            pass_fds=[fd],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in the terminal is for the parent alone
            env={"OPENBLAS_NUM_THREADS": "1", **os.environ},  # numpy's threads would make forking unsafe
        )
    return process, ours


def _parsed(line: bytes) -> Message | None:
    try:
        message = json.loads(line)
    except ValueError:  # half a line of a process that was killed
        return None
    return message if isinstance(message, dict) else None
