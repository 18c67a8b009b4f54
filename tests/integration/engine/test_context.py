"""What a stage sees: parts, progress, warnings, FFmpeg."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from renderkiln.domain.errors import Permanent, Stopped
from renderkiln.media.errors import FFmpegFailed, FFmpegStopped
from renderkiln.media.ffmpeg.command import Command
from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.testing import FakeContext

pytestmark = pytest.mark.integration


def test_parts_run_at_the_same_time_and_finished_ones_not_again(tmp_path: Path) -> None:
    finished = Result({"number": 0})
    ctx = FakeContext(tmp_path, None, finished_parts={"0": finished})
    together = threading.Barrier(3, timeout=10)  # broken unless three run at once

    def part(number: int) -> Result:
        together.wait()
        return Result({"number": number})

    results = ctx.parts({str(n): n for n in range(4)}, part, workers=3)
    assert [result.values["number"] for result in results.values()] == [0, 1, 2, 3]
    assert list(results) == ["0", "1", "2", "3"]
    assert sorted(ctx.done_parts) == ["1", "2", "3"]


def test_files_of_parts_come_back_with_absolute_paths(tmp_path: Path) -> None:
    ctx = FakeContext(tmp_path, None)

    def part(number: int) -> Result:
        (ctx.workdir / f"{number}.bin").write_bytes(b"x")
        return Result({}, {"bin": Path(f"{number}.bin")})

    assert ctx.parts({"a": 1}, part)["a"].files["bin"] == ctx.workdir / "1.bin"


def test_a_failing_part_ends_the_others_and_its_error_gets_out(tmp_path: Path) -> None:
    ctx = FakeContext(tmp_path, None)
    started: list[int] = []

    def part(number: int) -> Result:
        started.append(number)
        if number == 0:
            raise Permanent("no")
        for _ in range(1000):
            ctx.progress(0.5)
            time.sleep(0.01)
        return Result()

    begun = time.monotonic()
    with pytest.raises(Permanent, match="no"):
        ctx.parts({str(n): n for n in range(10)}, part, workers=2)
    assert time.monotonic() - begun < 5
    assert len(started) < 10
    assert ctx.done_parts == {}


def test_a_stopped_stage_hears_it_from_progress(tmp_path: Path) -> None:
    ctx = FakeContext(tmp_path, None)
    ctx.progress(0.5, "Half", fps=3)
    ctx.stop.set()
    with pytest.raises(Stopped):
        ctx.progress(0.6)
    assert ctx.reports == [(0.5, "Half", {"fps": 3})]


def test_a_warning_is_told_once(tmp_path: Path) -> None:
    ctx = FakeContext(tmp_path, None)
    ctx.warn("silent", "No sound")
    ctx.warn("silent", "Still no sound")
    assert ctx.warnings == {"silent": "No sound"}


def test_ffmpeg_runs_fails_and_stops(tmp_path: Path) -> None:
    ctx = FakeContext(tmp_path, None)
    picture = ("-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=60")
    seen: list[int | None] = []
    done = ctx.run_ffmpeg(
        Command((*picture, "-frames:v", "3", "-f", "null", "-")), lambda progress: seen.append(progress.frame)
    )
    assert done.seconds > 0
    assert seen[-1] == 3
    with pytest.raises(FFmpegFailed):
        ctx.run_ffmpeg(Command(("-i", "missing", "-f", "null", "-")))
    threading.Timer(0.3, ctx.stop.set).start()
    started = time.monotonic()
    with pytest.raises(Stopped):
        ctx.run_ffmpeg(Command(("-re", *picture, "-f", "null", "-")))
    assert time.monotonic() - started < 3


def test_ffmpeg_is_read_from(tmp_path: Path) -> None:
    ctx, frame = FakeContext(tmp_path, None), bytearray(64 * 48)
    picture = ("-re", "-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=60,format=gray")
    with ctx.read_ffmpeg(Command((*picture, "-f", "rawvideo", "pipe:1"))) as reader:
        assert reader.read_into(frame)
        assert len(set(frame)) > 2
        ctx.stop.set()
        with pytest.raises(FFmpegStopped):
            all(iter(lambda: reader.read_into(frame), None))


def test_the_fake_is_a_context(tmp_path: Path) -> None:
    def stage(ctx: StageContext) -> Result:
        ctx.log.info("running in %s", ctx.workdir)
        return Result({"name": ctx.inputs[0].name, "attempt": ctx.job.attempt})

    song = tmp_path / "song.wav"
    song.write_bytes(b"la")
    ctx = FakeContext(tmp_path, None, inputs=[song])
    assert stage(ctx).values == {"name": "song.wav", "attempt": 1}
    assert ctx.inputs[0].size == 2


def test_a_stage_may_go_on_after_its_parts_have_failed(tmp_path: Path) -> None:
    ctx = FakeContext(tmp_path, None)

    def fails(_: int) -> Result:
        raise Permanent("it cannot be made this way")

    with pytest.raises(Permanent):
        ctx.parts({"a": 1, "b": 2}, fails, workers=2)
    assert list(ctx.parts({"c": 3}, lambda n: Result({"n": n}))) == ["c"]
