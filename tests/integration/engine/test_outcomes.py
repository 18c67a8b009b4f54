"""What becomes of a job whose stage misbehaves: real processes, real signals, a really full device."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from renderkiln import Event

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("mischief", "code", "words"),
    [
        ("bug", "INTERNAL", "unexpected KeyError: 'a\\nkey'"),
        ("permanent", "PERMANENT", "this can never work"),
        ("unsuitable", "UNSUITABLE", "note.txt has no sound"),
        ("not_json", "PERMANENT", "a stage's values must be JSON"),
        ("not_a_result", "PERMANENT", "a stage must return a Result, not dict"),
        ("no_file", "PERMANENT", "film.mp4 as its result, but did not make it"),
        ("ffmpeg", "FFMPEG_FAILED", "No such file or directory"),
        ("part_fails", "PERMANENT", "part 1 cannot be made"),
        ("disk_full", "DISK_FULL", "No space left on the disk of"),
    ],
)
@pytest.mark.parametrize("isolated", [True, False])
def test_fails_for_good(kiln: Any, mischief: str, code: str, words: str, isolated: bool) -> None:
    report = kiln.mischief(mischief, isolated=isolated)
    assert report.state == "failed"
    assert report.error.code == code
    assert words in report.error.message
    assert "\n" not in report.error.message
    assert report.attempt == 1
    assert kiln.names()[-1] == "job.failed"
    # What was finished stays for a retry from the failed stage; a full disk gets its room back.
    assert len(list(kiln.work.iterdir())) == (0 if code == "DISK_FULL" else 1)


@pytest.mark.parametrize(
    ("mischief", "code", "words"),
    [
        ("abort", "CRASHED", "ended by SIGABRT"),
        ("segfault", "CRASHED", "ended by SIGSEGV"),
        ("kill", "CRASHED", "killed: probably out of memory"),
        ("leave", "CRASHED", "ended with exit code 1"),
        ("terminated", "INTERRUPTED", "stopped from outside"),
        ("temporary", "TEMPORARY", "the weather is bad"),
        ("ffmpeg_killed", "FFMPEG_KILLED", "killed by signal 9"),
    ],
)
def test_is_tried_again_and_then_fails(kiln: Any, mischief: str, code: str, words: str) -> None:
    report = kiln.mischief(mischief)
    assert (report.state, report.error.code, report.attempt) == ("failed", code, 3)
    assert words in report.error.message
    assert "the same command continues" in report.error.message
    waits = [event.facts["seconds"] for event in kiln.events if event.name == "job.retrying"]
    assert waits == pytest.approx([0.05, 0.1])
    assert report.reused == ("before",)
    assert len(list(kiln.work.iterdir())) == 1


def test_a_crash_leaves_its_stack_in_the_log(kiln: Any) -> None:
    report = kiln.mischief("segfault")
    (log,) = kiln.logs
    assert str(log) in report.error.message
    assert "in segfault" in log.read_text()


def test_a_bug_leaves_its_traceback_in_the_log(kiln: Any) -> None:
    report = kiln.mischief("bug")
    assert str(kiln.logs[0]) in report.error.message
    assert "Traceback" in kiln.logs[0].read_text()


def test_the_second_attempt_succeeds(kiln: Any) -> None:
    report = kiln.mischief("once")
    assert report.succeeded
    assert report.attempt == 2
    assert report.started_at < report.processed_at < report.completed_at
    assert list(kiln.work.iterdir()) == []
    assert kiln.logs == []


def test_an_optional_stage_is_left_out_and_named(kiln: Any) -> None:
    report = kiln.mischief("permanent", optional=True)
    assert report.succeeded
    assert report.result == {"middle": None}
    assert report.left_out == {"middle": "this can never work"}


def test_a_stage_is_tried_again_by_its_own_policy(kiln: Any, tmp_path: Path) -> None:
    report = kiln.mischief("abort", stage_tries=2, optional=True, mark=str(tmp_path / "pids"))
    assert report.succeeded
    assert report.attempt == 1
    assert len((tmp_path / "pids").read_text().split()) == 2


def test_noise_of_a_stage_goes_to_the_log(kiln: Any, capfd: pytest.CaptureFixture[str]) -> None:
    noisy = threading.Event()

    def read_log(event: Event) -> None:
        if event.name == "stage.completed" and event.stage == "middle":
            text = kiln.logs[0].read_text()
            if "noise on stdout" in text and "noise on stderr" in text:
                noisy.set()

    assert kiln.run("mischief:Mischief", {"mischief": "print"}, listen=read_log).succeeded
    assert noisy.is_set()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("mischief", "seconds"), [("hang", 2.0), ("deaf", 2.0), ("grip", 2.0)])
def test_cancel_ends_stage_and_ffmpeg_within_two_seconds(
    kiln: Any, tmp_path: Path, mischief: str, seconds: float
) -> None:
    asked: list[float] = []

    def cancel(event: Event) -> None:
        if event.message == ("Running" if mischief == "hang" else "Half-way") and not asked:
            asked.append(time.monotonic())
            kiln.stop.set()

    report = kiln.run(
        "mischief:Mischief", {"mischief": mischief, "mark": str(tmp_path / "pid")}, listen=cancel
    )
    assert time.monotonic() - asked[0] < seconds
    assert report.state == "cancelled"
    assert "the same command continues" in report.message
    with pytest.raises(ProcessLookupError):
        os.killpg(int((tmp_path / "pid").read_text()), 0)


def test_cancel_of_an_in_process_stage(kiln: Any) -> None:
    def cancel(event: Event) -> None:
        if event.message == "Running":
            kiln.stop.set()

    report = kiln.run("mischief:Mischief", {"mischief": "hang", "isolated": False}, listen=cancel)
    assert report.state == "cancelled"


def test_cancel_before_the_start(kiln: Any) -> None:
    kiln.stop.set()
    report = kiln.mischief("none")
    assert report.state == "cancelled"
    assert "stage.started" not in kiln.names()
    assert not kiln.work.exists() or list(kiln.work.iterdir()) == []


def test_cancel_while_waiting_for_the_next_attempt(kiln: Any) -> None:
    def cancel(event: Event) -> None:
        if event.name == "job.retrying":
            kiln.stop.set()

    report = kiln.run("mischief:Mischief", {"mischief": "temporary"}, listen=cancel)
    assert report.state == "cancelled"
    assert report.attempt == 2  # it waited for the second


def test_a_crashed_stage_leaves_no_ffmpeg_behind(kiln: Any, tmp_path: Path) -> None:
    kiln.mischief("leave_ffmpeg", mark=str(tmp_path / "pids"))
    stage, ffmpeg, *_ = map(int, (tmp_path / "pids").read_text().split())
    assert stage != ffmpeg
    for pid in (stage, ffmpeg):
        assert not _runs(pid)


def test_a_failing_listener_does_not_end_the_job(kiln: Any) -> None:
    def fail(event: Event) -> None:
        raise BrokenPipeError("nobody reads")

    assert kiln.run("mischief:Mischief", {}, listen=fail).succeeded


def test_percent_never_falls_over_attempts(kiln: Any) -> None:
    kiln.mischief("temporary")
    percents = [event.percent for event in kiln.events]
    assert percents == sorted(percents)
    assert max(percents) == pytest.approx(50)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False
