from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from renderkiln.cli.lines import Lines
from renderkiln.cli.view import Pace, ending, remarks, speed, times_real
from renderkiln.domain.artifact import Artifact
from renderkiln.domain.event import Event, EventName
from renderkiln.domain.job import Job
from renderkiln.domain.report import JobError, JobReport

NOON = datetime(2026, 1, 27, 12, tzinfo=UTC)
JOB = Job("b-1-1080p", "b", "1", "visualizer", "video-rendering", {}, (), NOON, label="a\nb.mp3 1080p")
FILM = Artifact("video", Path("/out/film.mp4"), 12_345_678, "0" * 64, "video/mp4")


def test_a_steady_pace_is_told_exactly() -> None:
    pace = Pace()
    for second in range(20):
        pace.note(second, 2.0 * second)
    assert pace.remaining == pytest.approx((100 - 38) / 2)


def test_a_pace_is_not_guessed() -> None:
    pace = Pace()
    assert pace.remaining is None
    pace.note(0, 0)
    pace.note(0.5, 4)
    assert pace.remaining is None


def test_what_was_done_earlier_is_no_speed() -> None:
    pace = Pace()
    for second, percent in enumerate([0, 1, 60, 61, 62, 63]):
        pace.note(second, percent)
    assert pace.remaining == pytest.approx(37)


def test_the_line_a_job_leaves_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    report = JobReport(
        JOB, "completed", started_at=NOON, completed_at=NOON + timedelta(seconds=60), artifacts=(FILM,),
        result={"duration": 90.0}, warnings={"silent": "The track\x07 is silent"}, left_out={"extra": "no"},
    )  # fmt: skip
    assert ending(report).endswith(
        "a\\nb.mp3 1080p → /out/film.mp4  12.3 MB, 1:30 long, made in 1:00, 1.5× real time"
    )
    assert remarks(report) == ["  ! The track\\x07 is silent", "  ! left out extra: no"]
    assert speed(report) == 1.5


def test_a_failure_leaves_its_reason() -> None:
    report = JobReport(JOB, "failed", error=JobError("UNREADABLE", "no\nsound"))
    assert ending(report).endswith("a\\nb.mp3 1080p: no\\nsound")


def test_slow_speeds_keep_their_digits() -> None:
    assert times_real(1.44) == "1.4× real time"
    assert times_real(0.04) == "0.04× real time"


def events() -> Iterator[Event]:
    def event(name: EventName, percent: float, message: str = "", **facts: float) -> Event:
        return Event(name, JOB.id, NOON, percent, "render", message, facts)

    yield event("stage.started", 0, "Rendering frames")
    yield event("job.progress", 1, "Compiling kernels (first run only)")
    for percent in range(2, 100):
        yield event("job.progress", percent, "Rendering frames", fps=43.2, speed=1.44)
    yield event("warning", 99, "odd")


def test_lines_come_with_every_tenth(capsys: pytest.CaptureFixture[str]) -> None:
    with Lines() as view:
        view.begin(JOB, 2, 3)
        for event in events():
            view.hear(event)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "[2/3] a\\nb.mp3 1080p: Rendering frames (0 %)"
    assert "Compiling kernels (first run only)" in lines[1]
    assert [line.split("(")[1].split(" %")[0] for line in lines[3:-1]] == [str(n) for n in range(10, 100, 10)]
    assert "43 fps, 1.4× real time" in lines[4]
    assert lines[-1].endswith(": odd")


def test_what_the_stage_says_of_the_time_left_counts_for_more() -> None:
    pace = Pace()
    pace.note(0.0, 0.0, {"eta_seconds": None})
    pace.note(10.0, 9.0, {"eta_seconds": None})
    assert pace.remaining is None  # nobody knows yet, however fast the percent rises
    pace.note(20.0, 10.0, {"eta_seconds": 300.0})
    assert pace.remaining == 300.0


def test_what_a_stage_said_of_the_time_left_ends_with_it() -> None:
    pace = Pace()
    pace.note(0.0, 0.0, {"eta_seconds": 300.0}, "render")
    pace.note(10.0, 2.0, {"eta_seconds": 250.0}, "render")
    assert pace.remaining == 250.0
    pace.note(20.0, 4.0, {}, "join")
    assert pace.remaining == pytest.approx(480.0)  # from how fast the percent rises
