"""Log lines that nothing can break, for people and as JSON."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from renderkiln.domain.event import Event, EventName
from renderkiln.observability.logs import JobLog, JsonLines, TextLines, set_up

NASTY = "a\nb\r\x1b[31mred\u202e\u2028\x9bc\udcff"
NOON = datetime(2026, 1, 27, 12, tzinfo=UTC)

Lines = Callable[[], list[str]]


@pytest.fixture
def logging_restored() -> Iterator[None]:
    """As pytest had set it up: these are globals of the process."""
    root, ours, hook = logging.getLogger(), logging.getLogger("renderkiln"), threading.excepthook
    handlers, level, own_level, raises = root.handlers[:], root.level, ours.level, logging.raiseExceptions
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)
    ours.setLevel(own_level)
    logging.raiseExceptions, threading.excepthook = raises, hook


@pytest.fixture
def text(logging_restored: None) -> Lines:
    stream = io.StringIO()
    set_up("text", "debug", worker="w1", stream=stream)
    return lambda: stream.getvalue().splitlines()


@pytest.fixture
def entries(logging_restored: None) -> Callable[[], list[dict[str, Any]]]:
    stream = io.StringIO()
    set_up("json", "debug", worker="w1", stream=stream)
    return lambda: [json.loads(line, parse_constant=_refuse) for line in stream.getvalue().splitlines()]


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def event(
    name: EventName, message: str = "", stage: str | None = None, percent: float = 0.0, **facts: Any
) -> Event:
    return Event(name, "b-1-1080p", NOON, percent, stage, message, facts)


def tell_a_life(log: JobLog) -> None:
    log.hear(
        event("job.started", "song.mp3 1080p", attempt=2, queue="video-rendering", pipeline="visualizer")
    )
    log.hear(event("stage.started", "Rendering", "render"))
    log.hear(event("job.progress", "Rendering", "render", percent=40.0, fps=30))
    log.hear(event("warning", "The cover was left out", "render", code="COVER"))
    log.hear(
        event(
            "stage.completed", "Rendering", "render", seconds=8.14, cpu_seconds=15.9, peak_bytes=512_000_000
        )
    )
    log.hear(event("job.completed", "song.mp3 1080p", bytes=12_345_678, seconds=9.25))


def test_a_job_is_told_in_lines_for_people(text: Lines) -> None:
    tell_a_life(JobLog())
    said = [line.split(" ", 1)[1] for line in text() if "DEBUG" not in line]
    place = "[worker=w1 job=b-1-1080p attempt=2 {}queue=video-rendering pipeline=visualizer]"
    logger = "renderkiln.observability.logs"
    whole, render = place.format(""), place.format("stage=render ")
    assert said == [
        f"INFO    {logger}: started: song.mp3 1080p {whole}",
        f"WARNING {logger}: The cover was left out {render}",
        f"INFO    {logger}: stage completed: in 8.1 s, 15.9 s of CPU, 512 MB of memory at most {render}",
        f"INFO    {logger}: completed: song.mp3 1080p: 12.3 MB in 9.2 s {whole}",
    ]


def test_a_job_is_told_in_json(entries: Callable[[], list[dict[str, Any]]]) -> None:
    tell_a_life(JobLog())
    done = entries()[-1]
    assert datetime.fromisoformat(done.pop("time")).tzinfo is not None
    assert done == {
        "level": "info",
        "logger": "renderkiln.observability.logs",
        "message": "completed: song.mp3 1080p: 12.3 MB in 9.2 s",
        "worker": "w1",
        "event": "job.completed",
        "job": "b-1-1080p",
        "attempt": 2,
        "queue": "video-rendering",
        "pipeline": "visualizer",
        "bytes": 12_345_678,
        "seconds": 9.25,
    }
    render = next(each for each in entries() if each["event"] == "stage.completed")
    assert (render["stage"], render["seconds"], render["cpuSeconds"], render["peakBytes"]) == (
        "render", 8.14, 15.9, 512_000_000,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("told", "level", "says"),
    [
        (event("job.failed", "it is silent", code="SILENT"), "error", "failed: song: it is silent (SILENT)"),
        (
            event("job.retrying", "Trying again in 10 s: no room", seconds=10.0),
            "warning",
            "retrying: song: Trying again in 10 s: no room",
        ),
        (event("job.handed_back", "It goes away"), "info", "handed back: song: It goes away"),
        (event("job.taken_over", "Another one has it"), "warning", "taken over: song: Another one has it"),
        (event("job.cancelled", "Stopped"), "info", "cancelled: song: Stopped"),
        (event("stage.left_out", "no music", "mix", code="X"), "warning", "stage left out: no music (X)"),
        (event("stage.reused", "Listening", "listen"), "info", "stage reused: Listening"),
        (event("job.progress", "Rendering", percent=41.6), "debug", "42 % Rendering"),
    ],
)  # fmt: skip
def test_each_event_has_its_level_and_its_words(
    told: Event, level: str, says: str, entries: Callable[[], list[dict[str, Any]]]
) -> None:
    log = JobLog()
    log.hear(event("job.started", "song"))
    log.hear(told)
    said = entries()[-1]
    assert (said["level"], said["message"], said["event"]) == (level, says, told.name)


def test_the_wait_before_a_retry_is_not_taken_for_a_duration(
    entries: Callable[[], list[dict[str, Any]]],
) -> None:
    JobLog().hear(event("job.retrying", "Trying again", seconds=10.0))
    assert entries()[-1]["delay"] == 10.0
    assert "seconds" not in entries()[-1]


def test_what_was_told_at_the_start_is_forgotten_at_the_end(
    entries: Callable[[], list[dict[str, Any]]],
) -> None:
    log = JobLog()
    log.hear(event("job.started", "song", attempt=1))
    log.hear(event("job.retrying", "again"))
    log.hear(event("warning", "late"))
    assert "attempt" not in entries()[-1]


def test_progress_is_not_told_below_debug(logging_restored: None) -> None:
    stream = io.StringIO()
    set_up("text", "info", worker="w1", stream=stream)
    JobLog().hear(event("job.progress", "Rendering"))
    logging.getLogger("alembic").info("chatter of others")
    assert stream.getvalue() == ""


def test_no_name_breaks_a_line_for_people(text: Lines) -> None:
    JobLog().hear(event("job.started", NASTY, NASTY, queue=NASTY))
    (line,) = text()
    assert line.isprintable()
    assert r"a\nb\r\x1b[31mred\u202e\u2028\x9bc\udcff" in line


def test_no_name_breaks_a_line_of_json(entries: Callable[[], list[dict[str, Any]]]) -> None:
    JobLog().hear(event("job.started", NASTY, NASTY, queue=NASTY, attempt=float("nan"), bytes=object()))
    (entry,) = entries()
    assert entry["stage"] == entry["queue"] == NASTY
    assert entry["attempt"] == "nan"


def _fail() -> None:
    raise KeyError("forged\n2026-01-27T12:00:00.000Z INFO    all is well\x1b[0m")


def test_a_stack_trace_stays_below_its_line(text: Lines) -> None:
    try:
        _fail()
    except KeyError:
        logging.getLogger("renderkiln.engine").exception("it broke")
    first, *trace = text()
    assert "it broke" in first
    assert any("in _fail" in line for line in trace)
    assert all(line.startswith("    ") and line.isprintable() for line in trace)


def test_a_stack_trace_is_one_value_of_json(entries: Callable[[], list[dict[str, Any]]]) -> None:
    try:
        _fail()
    except KeyError:
        logging.getLogger("somebody.elses").exception("it broke")
    (entry,) = entries()
    assert entry["exception"].startswith("Traceback")
    assert entry["logger"] == "somebody.elses"


def test_a_thread_that_dies_leaves_a_line(entries: Callable[[], list[dict[str, Any]]]) -> None:
    thread = threading.Thread(target=_fail, name="mine")
    thread.start()
    thread.join()
    (entry,) = entries()
    assert entry["message"] == "the thread mine died"
    assert "KeyError" in entry["exception"]


@pytest.mark.parametrize("shape", [TextLines, JsonLines])
def test_a_call_whose_words_do_not_fit_is_told_as_it_is(shape: type[logging.Formatter]) -> None:
    record = logging.LogRecord("x", logging.INFO, "", 1, "%d jobs", ("many",), None)
    assert "%d jobs ('many',)" in shape("w1").format(record)
