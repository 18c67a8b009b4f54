"""One command, one run: what Renderkiln costs, and the ratios to bare FFmpeg and to the named peers.

Machines are shared and noisy: read CPU per frame and the ratios, not single wall times.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from renderkiln.media.kernels import use_cache
from renderkiln.settings import Settings

use_cache(Settings.load().home.absolute() / "cache")  # the product's own: before the rest imports Numba

from engine import EngineBench
from limit import Limit, limit
from measure import measured
from narration import NarrationBench
from renderkiln.app import Renderkiln
from renderkiln.domain.event import Event
from renderkiln.media.ffmpeg import binary
from renderkiln.pipelines.visualizer.params import VisualizerParams
from row import Row
from scenes import ScenesBench
from service import ServiceBench
from song import features, song
from variations import VariationsBench

RESULTS = Path(__file__).parent / "results"
words = Console(stderr=True)


@dataclass(frozen=True)
class Job:
    """A finished job: cost of each stage as the engine measured it."""

    frames: int
    wall: float
    stages: dict[str, dict[str, Any]]

    @property
    def render_fps(self) -> float:
        return self.frames / float(self.stages["render"]["seconds"])

    @property
    def whole_fps(self) -> float:
        return self.frames / self.wall

    @property
    def render_cpu_per_frame(self) -> float:
        return float(self.stages["render"]["cpu_seconds"]) * 1000 / self.frames

    @property
    def peak_megabytes(self) -> float:
        return max(float(stage["peak_bytes"] or 0) for stage in self.stages.values()) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="also a 60-minute song (memory stays flat)")
    parser.add_argument("--quick", action="store_true", help="shorter songs: rough figures in a minute")
    parser.add_argument("--engine", action="store_true", help="only what the engine costs")
    parser.add_argument("--narration", action="store_true", help="only what a narration costs")
    parser.add_argument("--variations", action="store_true", help="only what variations cost")
    parser.add_argument("--scenes", action="store_true", help="only what scenes cost")
    parser.add_argument("--service", action="store_true", help="only how quickly the service answers")
    parser.add_argument("--dashboard", action="store_true", help="only what the dashboard costs a browser")
    options = parser.parse_args()
    scale = 0.25 if options.quick else 1.0
    with tempfile.TemporaryDirectory(prefix="renderkiln-bench-") as name:
        chosen = (options.engine, options.narration, options.variations, options.scenes, options.service)
        everything = not any((*chosen, options.dashboard))
        parts: list[Iterator[Row]] = []
        if everything:
            parts.append(Bench(Path(name), scale).rows(long=options.long))
        if everything or options.narration:
            parts.append(NarrationBench(Path(name), scale).rows())
        if everything or options.variations:
            parts.append(VariationsBench(Path(name), scale).rows())
        if everything or options.scenes:
            parts.append(ScenesBench(Path(name), scale).rows())
        if everything or options.service:
            parts.append(ServiceBench(Path(name), scale).rows())
        if everything or options.engine:
            parts.append(EngineBench(Path(name), scale).rows())
        if options.dashboard:  # not with everything: it takes half an hour, and a browser
            from dashboard import DashboardBench

            parts.append(DashboardBench(Path(name), scale).rows())
        rows = []
        for row in chain.from_iterable(parts):
            words.print(f"{row.name}: {row.value:.2f} {row.unit}  {row.target}", highlight=False)
            rows.append(row)
    report(rows)


class Bench:
    """Measures in `folder`; `scale` shortens the songs."""

    def __init__(self, folder: Path, scale: float) -> None:
        self._folder, self._scale = folder, scale
        self._settings = Settings.load(output_dir=folder / "out")

    def rows(self, *, long: bool) -> Iterator[Row]:
        yield from self._start()
        yield from self._analysis()
        yield from self._full_hd()
        yield from self._large("4k", "draft", 10, 40, "fps ≥ 18")
        yield from self._large("360stereo", "balanced", 5, 20, "fps ≥ 6")
        if long:
            yield from self._flat_memory()

    def _start(self) -> Iterator[Row]:
        with measured() as cost:
            for _ in range(5):
                subprocess.run(
                    [sys.executable, "-m", "renderkiln", "--help"], check=True, capture_output=True
                )
        yield Row("renderkiln --help", cost.wall / 5, "s", "< 0.3")

    def _analysis(self) -> Iterator[Row]:
        seconds = 180 * self._scale
        path = song(self._folder, seconds)
        features(path, self._folder, 30)  # compiled and warm
        with measured() as cost:
            features(path, self._folder, 30)
        yield Row("decode and analysis", cost.cpu / seconds * 100, "% of track time", "≤ 1")

    def _full_hd(self) -> Iterator[Row]:
        seconds = 60 * self._scale
        ends = {}
        for quality, target in (("balanced", "fps ≥ 43"), ("draft", "fps ≥ 62")):
            params = VisualizerParams(quality=quality)
            bound = self._limit(params, seconds, 150)
            job = ends[quality] = self._job(params, seconds)
            yield from self._against_limit(f"1080p {quality}", job, bound, target)
        yield Row("1080p balanced, whole job", ends["balanced"].whole_fps, "fps", "≥ 38")
        yield Row("1080p balanced, largest process", ends["balanced"].peak_megabytes, "MB", "< 700")
        yield from self._peer(ends["balanced"])

    def _large(self, format: str, quality: str, seconds: float, frames: int, target: str) -> Iterator[Row]:
        params = VisualizerParams.model_validate({"format": format, "quality": quality})
        seconds = max(2, seconds * self._scale)
        bound = self._limit(params, seconds, frames)
        job = self._job(params, seconds)
        yield from self._against_limit(f"{format} {quality}", job, bound, target)
        yield Row(f"{format} {quality}, largest process", job.peak_megabytes, "MB")

    def _against_limit(self, name: str, job: Job, bound: Limit, target: str) -> Iterator[Row]:
        yield Row(f"{name}, drawing", bound.drawing, "CPU ms/frame")
        yield Row(f"{name}, bare FFmpeg", bound.encoding, "CPU ms/frame")
        yield Row(f"{name}, drawing / encoding", bound.drawing / bound.encoding, "×", "≤ 0.6 at balanced")
        yield Row(f"{name}, render stage", job.render_fps, "fps", target)
        yield Row(f"{name}, render stage", job.render_cpu_per_frame, "CPU ms/frame")
        busy = job.render_fps * job.render_cpu_per_frame / (self._settings.cores * 1000) * 100
        yield Row(f"{name}, wall speed / CPU limit (all cores busy)", busy, "%", "≥ 92")

    def _peer(self, ours: Job) -> Iterator[Row]:
        frames = max(30, int(120 * self._scale))
        script = Path(__file__).with_name("peer_moviepy.py")
        target = self._folder / "peer.mp4"
        arguments = [str(each) for each in (1920, 1080, 30, frames, target)]
        environment = {"FFMPEG_BINARY": str(binary.find()), "PATH": ""}
        with measured() as cost:
            subprocess.run([sys.executable, str(script), *arguments], check=True, env=environment)
        yield Row("MoviePy, a simpler 1080p frame", frames / cost.wall, "fps")
        yield Row("MoviePy, a simpler 1080p frame", cost.cpu / frames * 1000, "CPU ms/frame")
        yield Row(
            "ours / MoviePy, CPU per frame", ours.render_cpu_per_frame / (cost.cpu / frames * 1000), "×"
        )
        yield Row("ours / MoviePy, speed", ours.render_fps / (frames / cost.wall), "×")

    def _flat_memory(self) -> Iterator[Row]:
        params = VisualizerParams(format="preview", quality="draft", fps=24)
        for minutes in (2, 60):
            job = self._job(params, minutes * 60)
            yield Row(f"{minutes} minutes at 640x360, largest process", job.peak_megabytes, "MB", "flat")

    def _limit(self, params: VisualizerParams, seconds: float, frames: int) -> Limit:
        heard = features(song(self._folder, seconds), self._folder, params.fps)
        return limit(params, heard, self._folder, frames)

    def _job(self, params: VisualizerParams, seconds: float) -> Job:
        stages: dict[str, dict[str, Any]] = {}

        def listen(event: Event) -> None:
            if event.name == "stage.completed" and event.stage:
                stages[event.stage] = dict(event.facts)

        with Renderkiln.open(self._settings) as kiln, measured() as cost:
            job = kiln.job("visualizer", song(self._folder, seconds), params.model_dump(mode="json"))
            done = kiln.run(job, listen=listen, reuse=False)
        if not done.succeeded or done.result is None:
            raise SystemExit(f"the job failed: {done.error}")
        return Job(done.result["frames"], cost.wall, stages)


def report(rows: list[Row]) -> None:
    table = Table("figure", "value", "unit", "should be", title="Renderkiln bench")
    for row in rows:
        table.add_row(row.name, f"{row.value:.2f}", row.unit, row.target)
    Console().print(table)
    RESULTS.mkdir(exist_ok=True)
    target = RESULTS / f"{datetime.now(UTC):%Y%m%dT%H%M%S}.json"
    target.write_text(json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=1) + "\n")
    words.print(f"written to {target}")


if __name__ == "__main__":
    main()
