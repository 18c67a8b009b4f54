"""A small real pipeline: FFmpeg makes segments of a test picture, which are joined and delivered."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from renderkiln import Artifact, Result, Retry, Services, Stage, StageContext
from renderkiln.domain.fingerprint import file_sha256
from renderkiln.media.ffmpeg.command import Command


class DemoParams(BaseModel):
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
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        shutil.copyfile(ctx.results["join"].files["film"], part)
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
    return Result({"path": str(target), "size": target.stat().st_size, "sha256": file_sha256(target)})


class Demo:
    name = "demo"
    version = 1
    queue = "video-rendering"
    preload: tuple[str, ...] = ()
    retry = Retry(attempts=3, first=0.05)
    Params = DemoParams

    def stages(self, params: DemoParams) -> Sequence[Stage]:
        return (
            Stage("gather", 10, gather, "Gathering"),
            Stage("render", 80, render, "Rendering"),
            Stage("join", 5, join, "Joining"),
            Stage("deliver", 5, deliver, "Delivering", isolated=False),
        )

    def fingerprint(self, params: DemoParams, services: Services) -> Mapping[str, Any]:
        return {}

    def summary(self, results: Mapping[str, Result]) -> Mapping[str, Any]:
        return {"path": results["deliver"].values["path"], **results["gather"].values}

    def artifacts(self, results: Mapping[str, Result]) -> Sequence[Artifact]:
        made = results["deliver"].values
        return (Artifact("video", Path(made["path"]), made["size"], made["sha256"], "video/x-matroska"),)


def _segment(params: DemoParams, number: int, path: Path) -> Command:
    pace = ("-re",) if params.pace else ()
    source = f"testsrc=size=64x48:rate=10:duration={params.seconds},hue=h={number * 7}"
    output = ("-c:v", "ffv1", "-bitexact", "-y", str(path))
    return Command((*pace, "-f", "lavfi", "-i", source, *output))


# Pipelines that each break one promise, for the exam to find.


class SameNames(Demo):
    def stages(self, params: DemoParams) -> Sequence[Stage]:
        return (Stage("work", 1, gather), Stage("work", 1, deliver))


class WrongHash(Demo):
    def artifacts(self, results: Mapping[str, Result]) -> Sequence[Artifact]:
        return tuple(replace(artifact, sha256="0" * 64) for artifact in super().artifacts(results))


class WrongSize(Demo):
    def artifacts(self, results: Mapping[str, Result]) -> Sequence[Artifact]:
        return tuple(replace(artifact, size=1) for artifact in super().artifacts(results))


def _litter(ctx: StageContext) -> Result:
    (ctx.services.output / "half-written.mkv").write_bytes(b"?")
    return join(ctx)


class Litters(Demo):
    def stages(self, params: DemoParams) -> Sequence[Stage]:
        gather, render, _, deliver = super().stages(params)
        return (gather, render, Stage("join", 5, _litter), deliver)


class NotJson(Demo):
    def summary(self, results: Mapping[str, Result]) -> Mapping[str, Any]:
        return {"path": Path("x")}


def _deaf(ctx: StageContext) -> Result:
    ctx.progress(0.0)
    time.sleep(3)
    return Result()


class Deaf(Demo):
    """Its long stage neither asks nor can be killed."""

    def stages(self, params: DemoParams) -> Sequence[Stage]:
        return (Stage("deaf", 1, _deaf, isolated=False), *super().stages(params))


def _mute(ctx: StageContext) -> Result:
    return Result({"made": str(time.time_ns())})


class Silent(Demo):
    def stages(self, params: DemoParams) -> Sequence[Stage]:
        return (Stage("mute", 1, _mute), Stage("mute again", 1, _mute))

    def summary(self, results: Mapping[str, Result]) -> Mapping[str, Any]:
        return {}

    def artifacts(self, results: Mapping[str, Result]) -> Sequence[Artifact]:
        return ()


def _forgetful(ctx: StageContext) -> Result:
    ctx.finished_parts = {}
    return render(ctx)


class Forgetful(Demo):
    """Makes parts once more that were finished."""

    def stages(self, params: DemoParams) -> Sequence[Stage]:
        gather, _, join, deliver = super().stages(params)
        return (gather, Stage("render", 80, _forgetful), join, deliver)
