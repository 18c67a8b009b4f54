"""`renderkiln worker` as a process of its own, and what can be seen of it from outside."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ready
from waiting import until

from .conftest import Rig


@dataclass
class WorkerCommand:
    """A running `renderkiln worker`, and the file its stderr goes to."""

    process: ready.Process
    log: Path
    home: Path

    @property
    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()

    @property
    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]

    def has_said(self, words: str) -> bool:
        return words in self.log.read_text()

    @property
    def address(self) -> tuple[str, int]:
        found = re.search(r"health: http://([\d.]+):(\d+)/health", self.log.read_text())
        assert found, self.log.read_text()
        return found[1], int(found[2])

    def ask(self, path: str, method: str = "GET") -> tuple[int, Any]:
        """The status and the JSON of an answer."""
        host, port = self.address
        request = urllib.request.Request(f"http://{host}:{port}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                body, status = answer.read(), answer.status
        except urllib.error.HTTPError as error:
            with error:
                body, status = error.read(), error.code
        return status, json.loads(body) if body else None

    def scrape(self) -> dict[str, float]:
        """What Prometheus would read: values by name and labels."""
        host, port = self.address
        with urllib.request.urlopen(f"http://{host}:{port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        samples = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name: float(value) for name, value in samples}

    def tell(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self, seconds: float = 30.0) -> int:
        """Its exit status."""
        return self.process.wait(seconds)


@dataclass
class Commands:
    """Starts worker commands on one database, each with a home of its own so that its processes are known."""

    folder: Path
    url: str
    started: list[WorkerCommand] = field(default_factory=list)

    def start(self, *arguments: object, env: Mapping[str, str] | None = None) -> WorkerCommand:
        number = len(self.started)
        log, home = self.folder / f"worker{number}.log", self.folder / f"home{number}"
        with log.open("wb") as stderr:
            process = ready.start(
                [ready.COMMAND, "worker", *map(str, arguments)],
                self.folder,
                {
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                    "RENDERKILN_HOME": str(home),
                    "RENDERKILN_DATABASE": self.url,
                    "POLL_INTERVAL": "0.05",
                    **(env or {}),
                },
                err=stderr.fileno(),
            )
        self.started.append(WorkerCommand(process, log, home))
        return self.started[-1]

    def until_it_draws(self, rig: Rig, *arguments: object) -> WorkerCommand:
        worker = self.start(*arguments)
        until(lambda: worker.process.pid in {each.pid for each in rig.workers()})
        return worker

    def end(self) -> None:
        for worker in self.started:
            with contextlib.suppress(ProcessLookupError):
                worker.process.kill()
                worker.process.wait()


def processes_of(worker: WorkerCommand) -> list[int]:
    """Its own, and every living process with its home, whatever its parent: fork server, stages, FFmpeg."""
    mark = f"RENDERKILN_HOME={worker.home}".encode()
    others = [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if mark in _environment(entry)]
    return others if worker.process.poll() is not None else [worker.process.pid, *others]


def _environment(process: Path) -> list[bytes]:
    try:
        if "\nState:\tZ" in (process / "status").read_text():
            return []
        return (process / "environ").read_bytes().split(b"\0")
    except OSError:  # it ended while we looked
        return []


def runs_ffmpeg(worker: WorkerCommand) -> bool:
    """Whether a stage has FFmpeg at work: the worker itself asks FFmpeg for its version before that."""
    return any(b"lavfi" in _command_line(pid) for pid in processes_of(worker))


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it ended while we looked
        return b""
