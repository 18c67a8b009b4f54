"""What a render costs more by the engine: CPU against the same stages called one after another."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from measure import Cost, measured
from process import Process
from renderkiln.database.engine import default_url
from renderkiln.engine.submission import Submission
from renderkiln.settings import Settings
from row import Row
from song import song
from workshop import Workshop

_LONG, _SHORT = 60.0, 2.0  # seconds of music
_PARAMS = {"format": "720p", "quality": "draft"}


@dataclass
class Way:
    """The costs of one way to render, run by run. `inner` leaves out start and imports.

    `megabytes` are of a worker after the last one, `server_megabytes` of its fork server.
    """

    whole: list[Cost] = field(default_factory=list)
    inner: list[float] = field(default_factory=list)
    megabytes: float = 0.0
    server_megabytes: float = 0.0

    @property
    def cpu(self) -> float:
        return statistics.median(cost.cpu for cost in self.whole)

    @property
    def wall(self) -> float:
        return statistics.median(cost.wall for cost in self.whole)

    @property
    def inner_cpu(self) -> float:
        return statistics.median(self.inner)


class Overhead:
    """Measures in `folder`; `scale` shortens the song."""

    def __init__(self, folder: Path, scale: float) -> None:
        self._folder, self._long, self._rounds = folder, _LONG * scale, 2 if scale >= 1 else 1
        cache = Settings.load().home.absolute() / "cache"
        cache.mkdir(parents=True, exist_ok=True)
        for name in ("home", "out"):
            (folder / name).mkdir()
        (folder / "home" / "cache").symlink_to(cache)  # compiled kernels: they are no part of this

    def rows(self) -> Iterator[Row]:
        self._process("plain", song(self._folder, _SHORT), Way())  # compiles the kernels
        plain, engine, worker = self._measured(self._long)
        name = f"{self._long:g} s at 720p draft"
        yield Row(f"{name}, stages one after another", plain.cpu, "CPU s")
        yield Row(f"{name}, Renderkiln.run", engine.cpu, "CPU s")
        yield Row(f"{name}, Renderkiln.run / stages", _more(engine.cpu, plain.cpu), "% more CPU", "≤ 3")
        yield Row(f"{name}, stages, without start", plain.inner_cpu, "CPU s")
        yield Row(f"{name}, submitted to a running worker", worker.inner_cpu, "CPU s")
        yield Row(f"{name}, worker / stages", _more(worker.inner_cpu, plain.inner_cpu), "% more CPU", "≤ 3")
        plain, engine, worker = self._measured(_SHORT)
        yield Row("fixed cost of Renderkiln.run (2 s of music)", engine.cpu - plain.cpu, "CPU s")
        yield Row("fixed cost of Renderkiln.run (2 s of music)", engine.wall - plain.wall, "s")
        yield Row("fixed cost of a worker's job (2 s of music)", worker.inner_cpu - plain.inner_cpu, "CPU s")
        yield Row("worker that has rendered and idles, RSS", worker.megabytes, "MB", "≤ 150")
        yield Row("its fork server, RSS", worker.server_megabytes, "MB")

    def _measured(self, seconds: float) -> tuple[Way, Way, Way]:
        plain, engine, worker = Way(), Way(), Way()
        music = song(self._folder, seconds)
        for number in range(self._rounds):
            runs = [
                partial(self._process, "plain", music, plain),
                partial(self._process, "engine", music, engine),
                partial(self._job, music, worker),
            ]
            for run in runs if number % 2 == 0 else reversed(runs):
                run()
        return plain, engine, worker

    def _process(self, name: str, music: Path, way: Way) -> None:
        script = Path(__file__).with_name("rendering.py")
        command = [sys.executable, str(script), name, str(music), str(self._folder), json.dumps(_PARAMS)]
        with measured() as cost:
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        way.whole.append(cost)
        way.inner.append(float(done.stdout))

    def _job(self, music: Path, way: Way) -> None:
        """In a worker that has rendered before."""
        with Workshop(self._folder, default_url(self._folder / "home")) as shop, shop.worker() as worker:
            self._render(shop, song(self._folder, _SHORT))
            before = _tree_cpu(worker)
            self._render(shop, music)
            way.inner.append(_tree_cpu(worker) - before)
            way.megabytes = worker.megabytes
            way.server_megabytes = sum(server.megabytes for server in worker.children())

    def _render(self, shop: Workshop, music: Path) -> None:
        params: dict[str, Any] = {**_PARAMS, "seed": 1 + int.from_bytes(os.urandom(2))}  # nothing is reused
        job = shop.kiln.job("visualizer", music, params)
        shop.kiln.room.submit(Submission(job.batch_id, [job], self._folder / "out"))
        shop.finished(1, job.batch_id)


def _tree_cpu(worker: Process) -> float:
    """Of the worker, its fork server, and all stages that have ended."""
    return worker.cpu_seconds + sum(child.cpu_seconds for child in worker.children())


def _more(ours: float, other: float) -> float:
    return (ours / other - 1) * 100
