"""What variations of a clip cost beside FFmpeg re-encoding the same clip with the same preset."""

from __future__ import annotations

import os
import statistics
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from measure import Cost, measured
from renderkiln.app import Renderkiln
from renderkiln.domain.event import Event
from renderkiln.media.ffmpeg import binary
from renderkiln.media.ffmpeg.run import run
from renderkiln.media.ffmpeg.transcode import Encoding
from renderkiln.media.video.survey import survey
from renderkiln.pipelines.variations.clip import Clip
from renderkiln.pipelines.variations.effect_set import EffectSet
from renderkiln.pipelines.variations.film import Film
from renderkiln.pipelines.variations.params import VariationsParams, installed
from renderkiln.settings import Settings
from row import Row

COUNT = 10
_FPS = 30
_SAME_PRESET = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "20")


class VariationsBench:
    """Measures in `folder`; `scale` shortens the clip."""

    def __init__(self, folder: Path, scale: float) -> None:
        self._folder, self._seconds = folder, max(3, round(8 * scale))

    def rows(self) -> Iterator[Row]:
        for row in self._all():
            yield replace(row, name=f"variations of {self._seconds} s of 1080p: {row.name}")

    def _all(self) -> Iterator[Row]:
        clip = self._clip()
        self._job(clip, count=1)  # compiled and warm
        bare = [self._bare(clip)]
        cost, stages, result = self._job(clip, count=COUNT)
        bare += [self._bare(clip), self._bare(clip)]  # the machine is another one from minute to minute
        made, per_frame = result["frames"], statistics.median(bare) / self._seconds / _FPS
        yield Row("bare FFmpeg, same preset", per_frame * 1000, "CPU ms/frame")
        yield Row("ours, whole job", cost.cpu / made * 1000, "CPU ms/frame")
        yield Row("ours, whole job / bare FFmpeg", cost.cpu / made / per_frame, "×", "≤ 1.15")
        for name, facts in stages.items():
            yield Row(f"stage {name}", facts["cpu_seconds"] / made * 1000, "CPU ms/frame")
        staged = sum(float(facts["cpu_seconds"]) for facts in stages.values())
        yield Row("command and engine beside the stages", (cost.cpu - staged) / cost.cpu * 100, "%", "≤ 3")
        yield Row("one FFmpeg of them", self._memory(clip) / 1e6, "MB", "≤ 250")
        yield from self._scaling(clip, made, float(stages["render"]["seconds"]))

    def _scaling(self, clip: Path, made: int, seconds: float) -> Iterator[Row]:
        """One variation at a time keeps more than one core busy: FFmpeg decodes while it encodes."""
        yield Row("two at once", made / seconds, "frames/s")
        _, stages, result = self._job(clip, count=COUNT, cores=1)
        alone = result["frames"] / float(stages["render"]["seconds"])
        yield Row("two at once / one at a time, on two cores", made / seconds / alone, "×")
        allowed = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(allowed)})
        _, stages, result = self._job(clip, count=COUNT, cores=1)
        os.sched_setaffinity(0, allowed)
        alone = result["frames"] / float(stages["render"]["seconds"])
        yield Row("two at once on two cores / one on one core", made / seconds / alone, "×", "≥ 1.7")

    def _memory(self, clip: Path) -> int:
        """Bytes that FFmpeg needs at most for a variation with a zoom, a change of colours and of speed."""
        params = VariationsParams()
        film = Film(
            Clip.of(survey(clip), params),
            installed(),
            EffectSet({"zoom": 3, "exposure": 0.2, "hue": 5, "speed": 1.02}),
        )
        target = self._folder / "memory.mp4"
        return run(
            film.command(clip, target, Encoding("balanced"), title=""), binary=binary.find()
        ).peak_bytes

    def _clip(self) -> Path:
        """A picture that is full of detail and moves, with a stereo sound."""
        path = self._folder / "mandelbrot.mp4"
        picture = f"mandelbrot=size=1920x1080:rate={_FPS}:maxiter=1000"
        sound = "sine=frequency=330:sample_rate=48000,aformat=channel_layouts=stereo"
        inputs = ("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, "-t", str(self._seconds))
        coding = ("-c:v", "libx264", "-preset", "medium", "-crf", "18", "-pix_fmt", "yuv420p", "-c:a", "aac")
        self._ffmpeg(*inputs, *coding, str(path))
        return path

    def _bare(self, clip: Path) -> float:
        target = str(self._folder / "bare.mp4")
        with measured() as cost:
            self._ffmpeg("-i", str(clip), *_SAME_PRESET, "-c:a", "aac", "-b:a", "192k", target)
        return cost.cpu

    def _ffmpeg(self, *arguments: str) -> None:
        subprocess.run([str(binary.find()), "-v", "error", "-y", *arguments], check=True)

    def _job(
        self, clip: Path, *, count: int, cores: int = 2
    ) -> tuple[Cost, dict[str, dict[str, Any]], dict[str, Any]]:
        stages: dict[str, dict[str, Any]] = {}

        def listen(event: Event) -> None:
            if event.name == "stage.completed" and event.stage:
                stages[event.stage] = dict(event.facts)

        settings = Settings.load(output_dir=self._folder / "out", cores=cores)
        with measured() as cost, Renderkiln.open(settings) as kiln:
            job = kiln.job("variations", clip, {"count": count})
            done = kiln.run(job, listen=listen, reuse=False)
        if not done.succeeded or done.result is None:
            raise SystemExit(f"the job failed: {done.error}")
        return cost, stages, dict(done.result)
