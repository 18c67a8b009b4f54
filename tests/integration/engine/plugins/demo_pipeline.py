"""A small real pipeline: FFmpeg makes short segments of a test picture, which are joined and delivered."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from renderkiln import Artifact, Result, Retry, Services, Stage, StageContext
from renderkiln.engine.checkpoint import sha256
from renderkiln.media.ffmpeg.command import Command


class Params(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    segments: int = Field(3, ge=1, le=100)
    seconds: float = Field(0.4, gt=0)
    workers: int = 1
    pace: bool = False  # FFmpeg reads in real time, so that there is something to interrupt


def gather(ctx: StageContext) -> Result:
    ctx.log.info("gathering %s", ctx.inputs[0].name)
    ctx.warn("demo", "This is only a demo")
    ctx.progress(1.0, "Gathered", size=ctx.inputs[0].size)
    return Result({"size": ctx.inputs[0].size, "createdAt": ctx.job.created_at.isoformat()})


def render(ctx: StageContext) -> Result:
    done = list(ctx.finished_parts)

    def segment(number: int) -> Result:
        path = ctx.workdir / f"{number:03d}.mkv"
        ctx.run_ffmpeg(_segment(ctx.params, number, path), lambda p: ctx.progress(0.0, fps=p.fps))
        done.append(str(number))
        ctx.progress(len(done) / ctx.params.segments, speed=1.0)
        return Result({"number": number}, {"film": Path(path.name)})

    items = {f"{number:03d}": number for number in range(ctx.params.segments)}
    fresh = [key for key in items if key not in ctx.finished_parts]
    made = ctx.parts(items, segment, workers=ctx.params.workers)
    return Result({"fresh": fresh}, {key: part.files["film"] for key, part in made.items()})


def join(ctx: StageContext) -> Result:
    film = ctx.workdir / "film.mkv"
    with film.open("wb") as out:
        for part in ctx.results["render"].files.values():
            out.write(part.read_bytes())
    return Result({}, {"film": film})


def deliver(ctx: StageContext) -> Result:
    target = ctx.services.output / f"{Path(ctx.inputs[0].name).stem}.mkv"
    part = target.with_name(f".{os.getpid()}.part")
    shutil.copyfile(ctx.results["join"].files["film"], part)
    part.rename(target)
    return Result({"path": str(target), "size": target.stat().st_size, "sha256": sha256(target)})


class Demo:
    name = "demo"
    version = 1
    queue = "video-rendering"
    retry = Retry(attempts=3, first=0.05)
    Params = Params

    def stages(self, params: Params) -> Sequence[Stage]:
        return (
            Stage("gather", 10, gather, "Gathering"),
            Stage("render", 80, render, "Rendering"),
            Stage("join", 5, join, "Joining"),
            Stage("deliver", 5, deliver, "Delivering", isolated=False),
        )

    def fingerprint(self, params: Params, services: Services) -> Mapping[str, Any]:
        return {}

    def summary(self, results: Mapping[str, Result]) -> Mapping[str, Any]:
        return {"path": results["deliver"].values["path"], **results["gather"].values}

    def artifacts(self, results: Mapping[str, Result]) -> Sequence[Artifact]:
        made = results["deliver"].values
        return (Artifact("video", Path(made["path"]), made["size"], made["sha256"], "video/x-matroska"),)


def _segment(params: Params, number: int, path: Path) -> Command:
    pace = ("-re",) if params.pace else ()
    source = f"testsrc=size=64x48:rate=10:duration={params.seconds},hue=h={number * 7}"
    output = ("-c:v", "ffv1", "-bitexact", "-y", str(path))
    return Command((*pace, "-f", "lavfi", "-i", source, *output))
