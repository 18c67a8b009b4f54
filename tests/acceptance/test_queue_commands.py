"""Jobs that are queued, watched, cancelled and retried by command, and the worker that runs them."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from waiting import until

from .conftest import SMALL, Command

pytestmark = pytest.mark.acceptance


def jobs(renderkiln: Command, *arguments: object) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(renderkiln("jobs", "list", "-o", "json", *arguments).stdout)
    return listed


def ids(renderkiln: Command, *arguments: object) -> list[str]:
    """Submit, and give the ids that it prints."""
    ended = renderkiln("submit", "visualizer", *arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.split()


def test_from_submit_to_the_film(renderkiln: Command) -> None:
    renderkiln.song("one.wav")
    renderkiln.song("two.wav")
    (renderkiln.folder / "bad.mp3").write_text("no music")
    order = ("one.wav", "two.wav", "bad.mp3", *SMALL, "--out", "out", "--label", "night")
    ended = renderkiln("submit", "visualizer", *order)
    assert ended.returncode == 0, ended.stderr
    assert "3 jobs queued" in ended.stderr
    assert "no worker is at the queue video-rendering: start one with `renderkiln worker`" in ended.stderr
    first, *_, bad = ended.stdout.split()
    batch = first.split("-")[0]
    assert [each["state"] for each in jobs(renderkiln)] == ["pending"] * 3
    assert [each["createdAt"] for each in jobs(renderkiln, "--text", "two")] != []

    worker = renderkiln.start("worker", "--worker-id", "w1", "--idle-timeout", 60)
    watched = renderkiln("batches", "watch", batch)
    assert watched.returncode == 1  # one of them failed
    assert "✓ one.wav preview → " in watched.stderr
    assert "✗ bad.mp3 preview: " in watched.stderr
    assert len([name for name in renderkiln.delivered() if name.endswith(".mp4")]) == 2

    (shown,) = json.loads(renderkiln("batches", "list", "-o", "json").stdout)
    assert (shown["label"], shown["state"], shown["total"]) == ("night", "completed", 3)
    assert shown["counts"] == {"pending": 0, "processing": 0, "completed": 2, "failed": 1, "cancelled": 0}
    sheet = json.loads(renderkiln("jobs", "show", first, "--events", "-o", "json").stdout)
    (attempt,) = sheet["attempts"]
    assert (attempt["outcome"], attempt["worker"], attempt["processId"]) == ("completed", "w1", None)
    assert attempt["cpuSeconds"] > 0.1
    assert attempt["peakBytes"] > 30_000_000
    assert attempt["bytesIn"] == (renderkiln.folder / "one.wav").stat().st_size
    assert attempt["bytesOut"] == sum(each["size"] for each in sheet["artifacts"])
    names = [event["name"] for event in sheet["events"]]
    assert names[:2] == ["job.created", "job.started"]
    assert names[-1] == "job.completed"
    assert names.count("stage.completed") == 5

    assert "only failed and cancelled jobs" in renderkiln("jobs", "retry", first).stderr
    assert renderkiln("jobs", "retry", bad).returncode == 0
    assert renderkiln("jobs", "watch", bad, "-o", "json").returncode == 1
    again = json.loads(renderkiln("jobs", "show", bad, "-o", "json").stdout)
    assert (again["state"], again["attempt"]) == ("failed", 2)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    renderkiln.wait_until_gone()


def test_a_running_job_is_cancelled_and_its_ffmpeg_is_gone(renderkiln: Command) -> None:
    renderkiln.song(seconds=60.0)
    (id,) = ids(renderkiln, "song.wav", *SMALL, "--out", "out")
    renderkiln.start("worker")
    ffmpeg = _ffmpeg_of(renderkiln, id)
    assert Path(f"/proc/{ffmpeg}").exists()
    assert renderkiln("jobs", "cancel", id).returncode == 0
    (job,) = jobs(renderkiln)
    assert (job["state"], job["message"]) == ("cancelled", "Cancelled")
    until(lambda: not Path(f"/proc/{ffmpeg}").exists())
    assert "has already ended" in renderkiln("jobs", "cancel", id).stderr
    assert renderkiln.delivered() == []


def _ffmpeg_of(renderkiln: Command, id: str) -> int:
    """The process id that stands in the database while it runs."""
    deadline = time.monotonic() + 240  # kernels may have to be compiled first
    while time.monotonic() < deadline:
        (attempt,) = json.loads(renderkiln("jobs", "show", id, "-o", "json").stdout)["attempts"] or [{}]
        if pid := attempt.get("processId"):
            name = Path(f"/proc/{pid}/comm")
            if name.exists() and name.read_text().startswith("ffmpeg"):
                return int(pid)
    raise AssertionError("no FFmpeg was ever noted")


def test_the_same_key_queues_once(renderkiln: Command) -> None:
    renderkiln.song()
    call = ("song.wav", *SMALL, "--idempotency-key", "order 7")
    first = ids(renderkiln, *call)
    again = renderkiln("submit", "visualizer", *call)
    assert again.stdout.split() == first
    assert "was submitted before" in again.stderr
    other = renderkiln(
        "submit", "visualizer", "song.wav", *SMALL, "--seed", 2, "--idempotency-key", "order 7"
    )
    assert other.returncode == 1
    assert "was used for another request" in other.stderr
    assert len(jobs(renderkiln)) == 1


def test_terms_of_a_job(renderkiln: Command) -> None:
    renderkiln.song()
    (first,) = ids(renderkiln, "song.wav", *SMALL, "--at", "+2h", "--priority", 7)
    (later,) = ids(renderkiln, "song.wav", *SMALL, "--after", first)
    shown = renderkiln("jobs", "show", later).stdout
    assert f"waits for  {first}, which is pending" in shown
    assert "priority 7" in renderkiln("jobs", "show", first).stdout
    assert "not before" in renderkiln("jobs", "show", first).stdout
    assert renderkiln("jobs", "set", later, "--priority", 3).returncode == 0
    assert "priority 3" in renderkiln("jobs", "show", later).stdout
    assert renderkiln("jobs", "cancel", first).returncode == 0
    states = {each["id"]: each["state"] for each in jobs(renderkiln)}
    assert states == {first: "cancelled", later: "cancelled"}


def test_queues_by_command(renderkiln: Command) -> None:
    assert renderkiln("queues", "pause", "audio-rendering").returncode == 0
    changed = renderkiln("queues", "set", "video-rendering", "--worker-limit", 1, "--global-limit", 3)
    assert changed.returncode == 0, changed.stderr
    listed = {each["name"]: each for each in json.loads(renderkiln("queues", "list", "-o", "json").stdout)}
    assert list(listed) == ["video-rendering", "audio-rendering", "storage-upload", "event-processing"]
    assert [each["workerLimit"] for each in listed.values()] == [1, 2, 5, 10]
    assert listed["video-rendering"]["globalLimit"] == 3
    assert [name for name, each in listed.items() if each["paused"]] == ["audio-rendering"]
    assert renderkiln("queues", "set", "video-rendering", "--worker-limit", "default").returncode == 0
    assert renderkiln("queues", "resume", "audio-rendering").returncode == 0
    assert "paused" not in renderkiln("queues", "list").stdout


@pytest.mark.parametrize(
    ("call", "status", "words"),
    [
        (("jobs", "show", "nope"), 1, "there is no job 'nope'"),
        (("jobs", "watch", "nope"), 1, "there is no job 'nope'"),
        (("jobs", "cancel", "nope"), 1, "there is no job 'nope'"),
        (("jobs", "retry", "../etc"), 1, "there is no job '../etc'"),
        (("batches", "show", "nope"), 1, "there is no batch 'nope'"),
        (("batches", "retry", "nope"), 1, "there is no batch 'nope'"),
        (("queues", "pause", "nope"), 2, "there is no queue 'nope'; there are: video-rendering"),
        (("queues", "set", "video-rendering"), 2, "say what to set"),
        (("queues", "set", "video-rendering", "--worker-limit", "0"), 2, "0 is not in the range"),
        (("queues", "set", "video-rendering", "--worker-limit", "many"), 2, "'many' is not a valid integer"),
        (("submit", "nope", "song.wav"), 2, "no such command 'nope'"),
        (("submit", "visualizer", "song.wav", "--template", "sea"), 2, "unknown template 'sea'"),
        (("submit", "visualizer", "song.wav", "--at", "soon"), 2, "'soon' is no time"),
        (
            ("submit", "visualizer", "song.wav", "--after", "nope"),
            1,
            "one of the jobs that they need is not there",
        ),
        (("submit", "visualizer", "song.wav", "--priority", "0"), 2, "0 is not in the range"),
        (("worker", "--queues", "video-rendering,nope"), 2, "nope"),
    ],
)
def test_wrong_calls(renderkiln: Command, call: tuple[str, ...], status: int, words: str) -> None:
    ended = renderkiln(*call)
    assert (ended.returncode, ended.stdout) == (status, "")
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_killed_call_goes_on_with_all_its_songs(renderkiln: Command, percent: Any) -> None:
    """Also with those it had not begun; what was completed is not made again."""
    renderkiln.song("one.wav")
    renderkiln.song("two.wav", seconds=20.0)
    renderkiln.song("three.wav")
    call = ("render", "visualizer", "one.wav", "two.wav", "three.wav", *SMALL, "--out", "out")
    process = renderkiln.start(*call)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("[2/3]"):
            break
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = {each["id"]: each["state"] for each in jobs(renderkiln)}
    assert sorted(before.values()) == ["completed", "pending", "processing"]
    again = renderkiln(*call, "-o", "json")
    assert again.returncode == 0, again.stderr
    assert [each["id"] for each in json.loads(again.stdout)] == list(reversed(before))
    films = [name for name in renderkiln.delivered() if name.endswith(".mp4")]
    assert [name.rsplit("_", 1)[1] for name in films] == ["v1.mp4"] * 3


def test_a_worker_goes_on_with_a_killed_call(renderkiln: Command, percent: Any) -> None:
    renderkiln.song("song.wav", seconds=20.0)
    process = renderkiln.start("render", "visualizer", "song.wav", *SMALL, "--out", "out")
    percent(process, 40)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    (job,) = jobs(renderkiln)
    assert job["state"] == "processing"
    renderkiln.start("worker")
    watched = renderkiln("jobs", "watch", job["id"], "-o", "json")
    assert watched.returncode == 0, watched.stderr
    (done,) = json.loads(watched.stdout)
    assert "listen" in done["reused"]
    assert done["attempt"] == 1
