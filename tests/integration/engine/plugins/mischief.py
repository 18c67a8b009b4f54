"""A pipeline whose middle stage misbehaves as its params say, for real."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from renderkiln import Artifact, Permanent, Result, Retry, Services, Stage, StageContext, Temporary
from renderkiln.media.errors import FFmpegFailed, Unsuitable
from renderkiln.media.ffmpeg.command import Command


class MischiefParams(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    mischief: Literal[
        "none", "abort", "segfault", "kill", "leave", "bug", "temporary", "once", "permanent", "unsuitable",
        "disk_full", "not_json", "not_a_result", "no_file", "ffmpeg", "ffmpeg_killed", "hang", "deaf",
        "leave_ffmpeg", "grip", "print", "terminated", "part_fails", "pay_and_fail",
    ] = "none"  # fmt: skip
    isolated: bool = True
    optional: bool = False
    stage_tries: int | None = None
    mark: Path | None = None  # a file that the stage writes process ids to


def before(ctx: StageContext) -> Result:
    (ctx.workdir / "before.bin").write_bytes(b"b" * 1000)
    return Result({"before": True}, {"bin": Path("before.bin")})


def middle(ctx: StageContext) -> Result:
    if ctx.params.mark:
        with ctx.params.mark.open("a") as mark:
            mark.write(f"{os.getpid()}\n")
    ctx.progress(0.5, "Half-way")
    made: Result | None = globals()[ctx.params.mischief](ctx)
    return made or Result({"middle": ctx.params.mischief})


def after(ctx: StageContext) -> Result:
    return Result({"middle": ctx.results["middle"].values if "middle" in ctx.results else None})


class Mischief:
    name = "mischief"
    version = 1
    queue = "video-rendering"
    preload: tuple[str, ...] = ()
    retry = Retry(attempts=3, first=0.05, factor=2)
    Params = MischiefParams

    def stages(self, params: MischiefParams) -> Sequence[Stage]:
        retry = Retry(attempts=params.stage_tries, first=0.01) if params.stage_tries else None
        return (
            Stage("before", 1, before),
            Stage(
                "middle",
                2,
                middle,
                "In the middle",
                optional=params.optional,
                isolated=params.isolated,
                retry=retry,
            ),
            Stage("after", 1, after, isolated=False),
        )

    def fingerprint(self, params: MischiefParams, services: Services) -> Mapping[str, Any]:
        return {}

    def summary(self, results: Mapping[str, Result]) -> Mapping[str, Any]:
        return results["after"].values

    def artifacts(self, results: Mapping[str, Result]) -> Sequence[Artifact]:
        return ()


def none(ctx: StageContext) -> None: ...


def abort(ctx: StageContext) -> None:
    os.abort()


def segfault(ctx: StageContext) -> None:
    ctypes.string_at(0)


def kill(ctx: StageContext) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave(ctx: StageContext) -> None:
    sys.exit(7)


def bug(ctx: StageContext) -> None:
    raise KeyError("a\nkey")


def temporary(ctx: StageContext) -> None:
    raise Temporary("the weather is bad")


def once(ctx: StageContext) -> None:
    if ctx.job.attempt == 1:
        raise Temporary("not yet", delay=0.02)


def permanent(ctx: StageContext) -> None:
    raise Permanent("this can never\nwork")


def pay_and_fail(ctx: StageContext) -> None:
    ctx.paid(0.25)
    raise Permanent("it did not help")


def unsuitable(ctx: StageContext) -> None:
    raise Unsuitable(f"{ctx.inputs[0].name} has no sound")


def disk_full(ctx: StageContext) -> None:
    with Path("/dev/full").open("wb", buffering=0) as full:
        full.write(b"x")


def not_json(ctx: StageContext) -> Result:
    return Result({"when": object()})


def not_a_result(ctx: StageContext) -> Any:
    return {"a": 1}


def no_file(ctx: StageContext) -> Result:
    return Result({}, {"film": ctx.workdir / "film.mp4"})


def ffmpeg(ctx: StageContext) -> None:
    ctx.run_ffmpeg(Command(("-i", str(ctx.workdir / "missing.mp3"), "-f", "null", "-")))


def ffmpeg_killed(ctx: StageContext) -> None:
    raise FFmpegFailed("FFmpeg was killed by signal 9", returncode=-9)


def hang(ctx: StageContext) -> None:
    """A real FFmpeg for a minute."""
    ctx.run_ffmpeg(_endless(ctx), lambda _: ctx.progress(0.5, "Running"))


def deaf(ctx: StageContext) -> None:
    """Hears no SIGTERM and never asks."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(1)


def grip(ctx: StageContext) -> None:
    """Holds the interpreter's lock in C: no thread and no signal handler of its process ever runs."""
    ctypes.PyDLL(None).sleep(60)


def leave_ffmpeg(ctx: StageContext) -> None:
    """Crashes while an FFmpeg of its own still runs."""
    process = subprocess.Popen([str(ctx.services.ffmpeg), "-nostdin", *_endless(ctx).args])
    with ctx.params.mark.open("a") as mark:
        mark.write(f"{process.pid}\n")
    os.abort()


def print(ctx: StageContext) -> None:  # noqa: A001  the name of the mischief
    sys.stdout.write("noise on stdout\n")
    sys.stderr.write("noise on stderr\n")


def terminated(ctx: StageContext) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    while True:
        ctx.progress(0.5)
        time.sleep(0.01)


def part_fails(ctx: StageContext) -> None:
    def part(number: int) -> Result:
        if number == 1:
            raise Permanent("part 1 cannot be made")
        while number == 2:
            ctx.progress(0.5)
            time.sleep(0.01)
        return Result({"number": number})

    ctx.parts({str(n): n for n in range(4)}, part, workers=2)


def _endless(ctx: StageContext) -> Command:
    path = str(ctx.workdir / "endless.mkv")
    return Command(("-re", "-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=60", "-y", path))


class Boastful(Mischief):
    """It cannot say how much it did."""

    def did(self, params: MischiefParams, results: Mapping[str, Result]) -> Any:
        raise KeyError("how much?")
