"""What the engine costs, on SQLite and on Postgres, and a peer on the same Postgres."""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from row import Row

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from databases import Postgres
from overhead import Overhead
from process import Process
from renderkiln.database.engine import default_url
from renderkiln.domain.report import JobReport
from workshop import Workshop

_AT_ONCE = 40
_POLL = 0.02  # the shortest there is: a worker takes at most so many jobs as it has places for, each time
# What a person may set who has many small jobs.
_MANY_SMALL = {"RENDERKILN_EVENT_PROCESSING": str(_AT_ONCE), "RENDERKILN_POLL_INTERVAL": str(_POLL)}
_ONE_BY_ONE = {"RENDERKILN_EVENT_PROCESSING": "1", "RENDERKILN_POLL_INTERVAL": str(_POLL)}
_BATCH = 10_000
_FEW = 100  # queued jobs of the smaller queue, and the first ones of the larger that are looked at
_SETTLING = 3.0  # seconds that a worker has after its last job before it counts as idle


class EngineBench:
    """Measures in `folder`; `scale` lowers the counts."""

    def __init__(self, folder: Path, scale: float) -> None:
        self._folder, self._scale = folder, scale

    def rows(self) -> Iterator[Row]:
        yield from self._on("SQLite", default_url(self._made("sqlite")))
        with _server() as server:
            yield from self._on("Postgres", server.create("ours"))
            yield from self._peer(server.create("peer"))
        yield from Overhead(self._made("overhead"), self._scale).rows()

    def _on(self, name: str, url: str) -> Iterator[Row]:
        with Workshop(self._made(name.lower()), url) as shop:
            yield from _named(name, self._enqueue(shop))
            yield from _named(name, self._throughput(shop))
            yield from _named(name, self._idle(shop))
            yield from _named(name, self._backlog(shop))

    def _enqueue(self, shop: Workshop) -> Iterator[Row]:
        shop.submit(shop.jobs(1))  # opens the database
        seconds = []
        for _ in range(self._count(200)):
            made = shop.jobs(1)
            start = time.perf_counter()
            shop.submit(made)
            seconds.append(time.perf_counter() - start)
        yield from _percentiles("enqueue one job", seconds)
        with shop.worker(**_MANY_SMALL):
            shop.finished(1, made[0].batch_id)

    def _throughput(self, shop: Workshop) -> Iterator[Row]:
        count = self._count(1000)
        made = shop.jobs(count)
        shop.submit(made)
        with shop.worker(**_MANY_SMALL) as worker:
            done = shop.finished(count, made[0].batch_id)
            cpu = worker.cpu_seconds
        begun, ended = min(map(_started, done)), max(map(_ended, done))
        yield Row(
            f"no-op jobs, {_AT_ONCE} at once, poll {_POLL} s", count / (ended - begun), "jobs/s", "≥ 300"
        )
        yield Row("the worker's CPU for each, its start included", cpu / count * 1000, "CPU ms")

    def _idle(self, shop: Workshop) -> Iterator[Row]:
        """Of a worker with the settings it has by default."""
        with shop.worker() as worker:
            started, reached = [], []
            for _ in range(self._count(60)):
                made = shop.jobs(1)
                committed = shop.submit(made).timestamp()
                (done,) = shop.finished(1, made[0].batch_id)
                assert done.result is not None
                started.append(_started(done) - committed)
                reached.append(done.result["reached"] - committed)
                time.sleep(random.uniform(0.0, 0.3))  # so that it does not keep step with the polling
            yield from _percentiles("pick-up by an idle worker", started, "p50 ≤ 200")
            yield from _percentiles("pick-up until its stage runs", reached)
            yield Row("idle worker", self._idle_cpu(worker), "% of a core", "≤ 6")
            yield Row("idle worker, RSS", worker.megabytes, "MB", "≤ 150")

    def _backlog(self, shop: Workshop) -> Iterator[Row]:
        few = self._gap(shop, [self._submit(shop, _FEW)])
        size, batches = self._count(_BATCH), []
        seconds = []
        for _ in range(5):
            start = time.perf_counter()
            batches.append(self._submit(shop, size))
            seconds.append(time.perf_counter() - start)
        yield Row(f"submit {size} jobs in one batch", seconds[0], "s", "< 10")
        yield Row(f"the fifth batch of {size}", seconds[-1], "s")
        many = self._gap(shop, batches)
        yield Row(f"from job to job, {_FEW} queued, poll {_POLL} s", few, "ms")
        yield Row(f"from job to job, {5 * size} queued, poll {_POLL} s", many, "ms")
        yield Row(f"{5 * size} queued / {_FEW} queued", many / few, "×", "< 2")

    def _submit(self, shop: Workshop, count: int) -> str:
        made = shop.jobs(count)
        shop.submit(made)
        return made[0].batch_id

    def _gap(self, shop: Workshop, batches: Sequence[str]) -> float:
        """Milliseconds between the end of a job and the start of the next, at the median."""
        with shop.worker(**_ONE_BY_ONE):
            done = sorted(shop.finished(_FEW, batches[0]), key=_started)
        return statistics.median(_started(after) - _ended(before) for before, after in pairwise(done)) * 1000

    def _idle_cpu(self, worker: Process) -> float:
        """Percent of a core."""
        time.sleep(_SETTLING)
        before, start = worker.cpu_seconds, time.monotonic()
        time.sleep(max(5.0, 30.0 * self._scale))
        return (worker.cpu_seconds - before) / (time.monotonic() - start) * 100

    def _peer(self, url: str) -> Iterator[Row]:
        """It keeps no results of stages, no events and no files, and runs nothing in a process of its own."""
        script = Path(__file__).with_name("peer_procrastinate.py")
        counts = [str(self._count(each)) for each in (200, 1000, 60)]
        command = [sys.executable, str(script), url.replace("+psycopg", ""), str(_AT_ONCE), *counts]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        name = "Procrastinate (queue only)"
        yield from _named(name, _percentiles("defer one task", found["enqueue"]))
        yield Row(f"{name}: no-op tasks, {_AT_ONCE} at once", found["rate"], "tasks/s")
        yield from _named(name, _percentiles("pick-up until its task runs, LISTEN/NOTIFY", found["reached"]))

    def _count(self, whole: int) -> int:
        return max(5, round(whole * self._scale))

    def _made(self, name: str) -> Path:
        folder = self._folder / name
        folder.mkdir(exist_ok=True)
        return folder


@contextmanager
def _server() -> Iterator[Postgres]:
    """A server that syncs its log, as one that holds jobs must."""
    # Short: a socket's path has at most 107 characters.
    server = Postgres(Path(tempfile.mkdtemp(prefix="kiln-pg-")), fsync="on")
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _named(name: str, rows: Iterator[Row]) -> Iterator[Row]:
    for row in rows:
        yield replace(row, name=f"{name}: {row.name}")


def _percentiles(name: str, seconds: Sequence[float], target: str = "") -> Iterator[Row]:
    ordered = sorted(seconds)
    for percent, should in ((50, target), (99, "")):
        place = min(len(ordered) - 1, len(ordered) * percent // 100)
        yield Row(f"{name}, p{percent}", ordered[place] * 1000, "ms", should)


def _started(report: JobReport) -> float:
    assert report.started_at is not None
    return report.started_at.timestamp()


def _ended(report: JobReport) -> float:
    assert report.completed_at is not None
    return report.completed_at.timestamp()
