"""kill -9 of real processes: nothing survives, nothing finished is lost, nothing half-made is seen."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from renderkiln import Event

pytestmark = pytest.mark.integration

DEMO = {"segments": 4, "seconds": 0.3, "pace": True}
ALOUD = "import sys; from renderkiln.testing import render_aloud; render_aloud(sys.argv[1])"


@contextlib.contextmanager
def rendering(kiln: Any, pipeline: str, params: dict[str, Any]) -> Iterator[subprocess.Popen[str]]:
    """A process of its own that renders and prints its events."""
    note = kiln.folder / "note.txt"
    note.write_text("a note")
    request = {
        "home": str(kiln.app.settings.home),
        "pipeline": pipeline,
        "params": params,
        "input": str(note),
        "output": str(kiln.output),
    }
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", ALOUD, json.dumps(request)]
    with (
        _hearing_signals(),
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


@contextlib.contextmanager
def _hearing_signals() -> Iterator[None]:
    """Shells start background jobs with Ctrl-C ignored, and children inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def until(process: subprocess.Popen[str], reached: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """The events up to the one that was waited for."""
    events = []
    assert process.stdout is not None
    for line in process.stdout:
        events.append(json.loads(line))
        if reached(events[-1]):
            return events
    raise AssertionError(f"never reached; the last event was {events[-1:]}")


def test_nothing_outlives_a_killed_parent(kiln: Any, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    with rendering(kiln, "mischief:Mischief", {"mischief": "hang", "mark": str(mark)}) as process:
        until(process, lambda event: event["message"] == "Running")
        stage = int(mark.read_text())
        server = _parent_of(stage)
        ffmpegs = _group(stage) - {stage}
        assert len(ffmpegs) == 1  # a real FFmpeg runs
        assert _parent_of(server) == process.pid
        process.send_signal(signal.SIGKILL)
        killed = time.monotonic()
        _wait_until(lambda: not any(map(_runs, {stage, server, *ffmpegs})))
    assert time.monotonic() - killed < 2
    assert not kiln.output.exists() or list(kiln.output.iterdir()) == []


def test_nor_does_a_stage_that_hears_nothing(kiln: Any, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    with rendering(kiln, "mischief:Mischief", {"mischief": "grip", "mark": str(mark)}) as process:
        until(process, lambda event: event["message"] == "Half-way")
        process.send_signal(signal.SIGKILL)
        _wait_until(lambda: not _runs(int(mark.read_text())))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_nor_a_parent_that_ends_by_another_signal(kiln: Any, tmp_path: Path, number: signal.Signals) -> None:
    mark = tmp_path / "pid"
    if signal.getsignal(number) is signal.SIG_IGN:  # as nohup leaves it: the child would be deaf, too
        signal.signal(number, signal.SIG_DFL)
    with rendering(kiln, "mischief:Mischief", {"mischief": "hang", "mark": str(mark)}) as process:
        until(process, lambda event: event["message"] == "Running")
        everybody = {int(mark.read_text()), *_group(int(mark.read_text()))}
        process.send_signal(number)
        process.wait(10)
        _wait_until(lambda: not any(map(_runs, everybody)))
    assert kiln.mischief("none").succeeded  # the folder was let go


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_a_killed_job_goes_on_with_the_parts_it_had(kiln: Any, parts: int) -> None:
    with rendering(kiln, "demo_pipeline:Demo", DEMO) as process:
        done: list[str] = []

        def enough(event: dict[str, Any]) -> bool:
            if event["name"] == "part.completed":
                done.append(event["facts"]["part"])
            return len(done) == parts

        until(process, enough)
        process.send_signal(signal.SIGKILL)
    before = datetime.now(UTC)
    report = kiln.run("demo_pipeline:Demo", DEMO)
    assert report.succeeded
    assert report.reused == ("gather",)
    assert report.warnings == {"demo": "This is only a demo"}  # of the stage that did not run again
    redone = [event.facts["part"] for event in kiln.events if event.name == "part.completed"]
    assert done + redone == ["000", "001", "002", "003"]
    assert datetime.fromisoformat(report.result["createdAt"]) < before  # the date of the job that began it
    again = kiln.run("demo_pipeline:Demo", DEMO, reuse=False)
    assert again.artifacts[0].sha256 == report.artifacts[0].sha256
    assert again.reused == ()


def test_killed_again_and_again_it_still_gets_there(kiln: Any) -> None:
    done: list[str] = []
    for _ in range(4):
        with rendering(kiln, "demo_pipeline:Demo", DEMO) as process:
            events = until(process, lambda event: event["name"] == "part.completed")
            done.append(events[-1]["facts"]["part"])
            process.send_signal(signal.SIGKILL)
    assert done == ["000", "001", "002", "003"]
    report = kiln.run("demo_pipeline:Demo", DEMO)
    assert report.succeeded
    assert "part.completed" not in kiln.names()


def test_a_changed_file_is_made_again(kiln: Any) -> None:
    with rendering(kiln, "demo_pipeline:Demo", DEMO) as process:
        until(process, lambda event: event["facts"].get("part") == "001")
        process.send_signal(signal.SIGKILL)
    (damaged,) = kiln.work.glob("*/files/000.mkv")
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    report = kiln.run("demo_pipeline:Demo", DEMO)
    assert report.succeeded
    redone = [event.facts["part"] for event in kiln.events if event.name == "part.completed"]
    assert redone == ["000", "002", "003"]


def test_a_lost_fork_server_is_replaced(kiln: Any, tmp_path: Path) -> None:
    mark = tmp_path / "pids"
    lost: list[int] = []

    def strike(event: Event) -> None:
        if event.name == "job.retrying":
            kiln.stop.set()
        elif event.message == "Running" and not lost:
            stage = int(mark.read_text())
            lost.extend({_parent_of(stage), *_group(stage)})
            os.kill(_parent_of(stage), signal.SIGKILL)

    report = kiln.run("mischief:Mischief", {"mischief": "hang", "mark": str(mark)}, listen=strike)
    assert report.state == "cancelled"
    waiting = next(event for event in kiln.events if event.name == "job.retrying")
    assert "its process was lost" in waiting.message
    _wait_until(lambda: not any(map(_runs, lost)))
    assert kiln.mischief("none", mark=str(mark)).state == "cancelled"  # `stop` is still set
    kiln.stop.clear()
    assert kiln.mischief("none").succeeded


def test_two_processes_doing_the_same_do_not_disturb_each_other(kiln: Any) -> None:
    def part(event: dict[str, Any]) -> bool:
        return bool(event["name"] == "part.completed")

    with rendering(kiln, "demo_pipeline:Demo", DEMO) as one:
        until(one, part)
        _stop_between_writes(one, kiln)  # it holds its folder and will not be done before the other
        with rendering(kiln, "demo_pipeline:Demo", DEMO) as two:
            until(two, part)
            key, sibling = sorted(path.name for path in kiln.work.iterdir())
            assert sibling == f"{key}-2"
            until(two, lambda event: event["name"] == "job.completed")
        one.send_signal(signal.SIGCONT)
        until(one, lambda event: event["name"] == "job.completed")
        assert one.wait(60) == 0
    assert list(kiln.work.iterdir()) == []


def _stop_between_writes(process: subprocess.Popen[str], kiln: Any) -> None:
    """One that is stopped in the middle of a write has locked the database for everybody."""
    while True:
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.05)  # it takes a moment
        database = contextlib.closing(sqlite3.connect(kiln.app.database.path, timeout=0.2))
        with database as line, contextlib.suppress(sqlite3.OperationalError):
            line.execute("BEGIN IMMEDIATE")
            return
        process.send_signal(signal.SIGCONT)
        time.sleep(0.05)


def _parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _group(pgid: int) -> set[int]:
    members = set()
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if entry.name.isdigit() and os.getpgid(int(entry.name)) == pgid:
                members.add(int(entry.name))
    return members


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.01)
