"""The process of a stage and the server that forks it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from renderkiln import Services
from renderkiln.engine.context import StageWork
from renderkiln.engine.stage_child import WORK
from renderkiln.engine.stage_process import Exit, ForkServer, StageProcess
from renderkiln.pipelines.contract import JobFacts

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    with ForkServer() as server:
        yield server


def run(
    server: ForkServer, folder: Path, mischief: str = "none", **options: Any
) -> tuple[Exit, list[dict[str, Any]]]:
    work = StageWork(
        pipeline="mischief:Mischief",
        stage="middle",
        params={"mischief": mischief},
        job=JobFacts("job-1", datetime.now(UTC)),
        inputs=(),
        results={},
        workdir=folder,
        services=Services(Path("ffmpeg"), folder, folder),
    )
    messages: list[Any] = []
    with (
        (folder / "log").open("ab") as log,
        StageProcess(server, WORK.dump_python(work, mode="json"), log=log.fileno(), **options) as process,
    ):
        return process.run(messages.append), messages


def test_a_stage_starts_and_ends_in_milliseconds(server: ForkServer, tmp_path: Path) -> None:
    run(server, tmp_path)
    took, cpu = [], []
    for _ in range(10):
        started = time.monotonic()
        how, _ = run(server, tmp_path)
        took.append(time.monotonic() - started)
        cpu.append(how.cpu_seconds)
    assert min(took) < 0.1
    assert min(cpu) < 0.05  # no import is repeated


def test_it_tells_what_it_used(server: ForkServer, tmp_path: Path) -> None:
    how, messages = run(server, tmp_path)
    assert how.status == 0
    assert how.cpu_seconds > 0
    assert how.peak_bytes > 1_000_000
    assert messages[-1]["kind"] == "result"


def test_silence_is_ended(server: ForkServer, tmp_path: Path) -> None:
    started = time.monotonic()
    how, _ = run(server, tmp_path, "deaf", silence=0.3)
    assert how.silent
    assert how.status == -9
    assert time.monotonic() - started < 2


def test_several_threads_share_one_server(server: ForkServer, tmp_path: Path) -> None:
    ended: list[int | None] = []
    threads = [
        threading.Thread(target=lambda: ended.append(run(server, tmp_path)[0].status)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended == [0] * 8


def test_what_the_handler_raises_ends_the_process(server: ForkServer, tmp_path: Path) -> None:
    pids: set[int] = set()

    def handle(message: Any) -> None:
        pids.update(int(child.name) for child in _children_of(server))
        raise OSError(28, "disk full")

    work = {"pipeline": "mischief:Mischief", "stage": "middle", "params": {"mischief": "deaf"}}
    services = {"ffmpeg": "x", "cache": "x", "output": "x"}
    rest = {"job": {"id": "1", "created_at": "2026-01-27T12:00:00Z"}, "inputs": [], "results": {}}
    request = {**work, **rest, "workdir": str(tmp_path), "services": services}
    with (
        pytest.raises(OSError, match="disk full"),
        (tmp_path / "log").open("ab") as log,
        StageProcess(server, request, log=log.fileno()) as process,
    ):
        process.run(handle)
    assert len(pids) == 1
    assert not _children_of(server)  # gone before the error got out


def test_the_current_folder_is_no_place_to_import_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pydantic.py", "json.py", "mischief.py"):
        (tmp_path / name).write_text("raise SystemExit('imported from the current folder')")
    monkeypatch.chdir(tmp_path)
    with ForkServer() as server:
        server.start(["pydantic"])
        how, messages = run(server, tmp_path)
    assert how.status == 0
    assert messages[-1]["kind"] == "result"


def test_a_module_that_cannot_be_preloaded_is_no_obstacle(tmp_path: Path) -> None:
    with ForkServer() as server:
        server.start(["no_such_module", "mischief"])
        assert run(server, tmp_path, preload=["neither.this"])[0].status == 0


def test_closing_ends_the_server(tmp_path: Path) -> None:
    server = ForkServer()
    server.start()
    pid = server.pid
    assert pid is not None
    server.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def _children_of(server: ForkServer) -> list[Path]:
    children = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == server.pid:
                children.append(entry)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return children
