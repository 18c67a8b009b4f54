"""Workers as people start them: real processes, each started again whenever it has ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

_PATIENCE = 60.0  # seconds that the end of a worker may take once it was asked for


@dataclass(frozen=True)
class Member:
    """A worker's process."""

    name: str
    process: subprocess.Popen[bytes]


@dataclass(frozen=True)
class End:
    """How a worker's process ended; `status` is negative for a signal."""

    name: str
    pid: int
    status: int


class Fleet:
    """`size` workers. A context manager; after it none of them is left.

    `environment` is set for them. What they say goes into a file for each in `folder`.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], size: int = 3) -> None:
        self._folder, self._environment = folder, environment
        self._names = [f"w{number}" for number in range(1, size + 1)]
        self.members: list[Member] = []
        self.ends: list[End] = []

    def tend(self) -> None:
        """Start again who has ended."""
        for each in list(self.members):
            if (status := each.process.poll()) is not None:
                self.members.remove(each)
                self.ends.append(End(each.name, each.process.pid, status))
                self.members.append(self._start(each.name))

    def dismiss(self) -> None:
        """Ask all of them to end, and wait until they have."""
        for each in self.members:
            each.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + _PATIENCE
        for each in self.members:
            status = each.process.wait(max(0.0, deadline - time.monotonic()))
            self.ends.append(End(each.name, each.process.pid, status))
        self.members = []

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        self.members = [self._start(name) for name in self._names]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in self.members:
            each.process.kill()
            each.process.wait()

    def _start(self, name: str) -> Member:
        with (self._folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "renderkiln", "worker", "--worker-id", name],
                env={**os.environ, **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for who commands the fleet
            )
        return Member(name, process)


def processes_of(home: Path) -> list[str]:
    """What still runs for this RENDERKILN_HOME: `pid command line`."""
    mark = os.fsencode(home)
    return [
        f"{folder.name} {line}" for folder in Path("/proc").glob("[0-9]*") if (line := _line(folder, mark))
    ]


def _line(process: Path, mark: bytes) -> str | None:
    """Its command line, if `mark` is in that or in its environment. A zombie has neither."""
    try:
        command, environment = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
    except OSError:  # it has ended, or is not ours
        return None
    if int(process.name) == os.getpid() or mark not in command + environment:
        return None
    return command.replace(b"\0", b" ").decode(errors="replace").strip() or None
