"""Log lines for people or as JSON, and a listener that logs what happens to jobs."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

from renderkiln.domain.event import Event

_log = logging.getLogger(__name__)

_PLACE = (
    "worker",
    "job",
    "attempt",
    "stage",
    "queue",
    "pipeline",
)  # what a line for people says of its origin
_FACTS = {  # of an event, and their names in a line of JSON
    "attempt": "attempt",
    "queue": "queue",
    "pipeline": "pipeline",
    "code": "code",
    "seconds": "seconds",
    "cpu_seconds": "cpuSeconds",
    "peak_bytes": "peakBytes",
    "bytes": "bytes",
}
_LASTING = ("attempt", "queue", "pipeline")  # told when a job starts, true until its attempt ends
_ENDS = {
    "job.completed",
    "job.failed",
    "job.cancelled",
    "job.retrying",
    "job.handed_over",
    "job.handed_back",
    "job.taken_over",
}


def set_up(shape: Literal["text", "json"], level: str, *, worker: str, stream: TextIO | None = None) -> None:
    """Log everything of this process to `stream` (default: stderr): ours from `level` on, others' warnings.

    What kills a thread is logged too. `worker` is the name that stands in each line.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines(worker) if shape == "json" else TextLines(worker))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("renderkiln").setLevel(level.upper())
    logging.getLogger("dbos").addHandler(logging.NullHandler())  # else it brings a format of its own
    logging.raiseExceptions = False  # whoever read stderr may be gone: no reason to stop rendering
    logging.captureWarnings(capture=True)
    threading.excepthook = _log_death


class TextLines(logging.Formatter):
    """One line for people; a stack trace follows indented, so that nothing in it passes for a line."""

    def __init__(self, worker: str) -> None:
        super().__init__()
        self._worker = worker

    def format(self, record: logging.LogRecord) -> str:
        about = {"worker": self._worker, **_about(record)}
        place = " ".join(f"{key}={about[key]}" for key in _PLACE if about.get(key) is not None)
        line = f"{_time(record)} {record.levelname:<7} {record.name}: {_message(record)} [{place}]"
        trace = (f"    {_shown(each)}" for each in _trace(self, record).splitlines())
        return "\n".join((_shown(line), *trace))


class JsonLines(logging.Formatter):
    """One object per line, in ASCII: always valid JSON, and nothing in it that a terminal obeys."""

    def __init__(self, worker: str) -> None:
        super().__init__()
        self._worker = worker

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
            "worker": self._worker,
            **_about(record),
        }
        if trace := _trace(self, record):
            entry["exception"] = trace
        try:
            return json.dumps(entry, default=str, allow_nan=False)
        except ValueError:  # not a number, which JSON does not know
            return json.dumps({key: str(value) for key, value in entry.items()})


class JobLog:
    """A listener for the events of jobs, from any thread. Progress is for who asks for `debug`."""

    def __init__(self) -> None:
        self._labels: dict[str | None, str] = {}
        self._lasting: dict[str | None, Mapping[str, Any]] = {}

    def hear(self, event: Event) -> None:
        """Log `event`."""
        if event.name == "job.started":
            self._labels[event.job_id] = event.message
            self._lasting[event.job_id] = {key: event.facts[key] for key in _LASTING if key in event.facts}
        facts = {_FACTS[key]: value for key, value in event.facts.items() if key in _FACTS}
        if event.name == "job.retrying" and "seconds" in facts:
            facts["delay"] = facts.pop("seconds")  # until then
        about = {"event": event.name, "job": event.job_id, "stage": event.stage}
        about |= {**self._lasting.get(event.job_id, {}), **facts}
        known = {key: value for key, value in about.items() if value is not None}
        _log.log(_level(event.name), "%s", self._sentence(event), extra={"about": known})
        if event.name in _ENDS:
            self._labels.pop(event.job_id, None)
            self._lasting.pop(event.job_id, None)

    def _sentence(self, event: Event) -> str:
        label = self._labels.get(event.job_id) or event.job_id
        match event.name:
            case "job.started":
                return f"started: {label}"
            case "job.completed":
                return _joined(f"completed: {label}", _measures(event.facts))
            case "job.failed":
                return f"failed: {label}: {event.message}{_code(event.facts)}"
            case "job.retrying" | "job.handed_over" | "job.handed_back" | "job.taken_over" | "job.cancelled":
                return f"{event.name.removeprefix('job.').replace('_', ' ')}: {label}: {event.message}"
            case "stage.completed" | "stage.failed":
                return _joined(event.name.replace(".", " "), _measures(event.facts))
            case "stage.left_out":
                return f"stage left out: {event.message}{_code(event.facts)}"
            case "job.progress":
                return f"{event.percent:.0f} % {event.message}"
            case "warning":
                return event.message
            case _:
                return _joined(event.name.replace(".", " "), event.message)


def _level(name: str) -> int:
    match name:
        case "job.failed":
            return logging.ERROR
        case "job.retrying" | "job.taken_over" | "stage.failed" | "stage.left_out" | "warning":
            return logging.WARNING
        case "job.progress" | "part.completed" | "stage.started":
            return logging.DEBUG
        case _:
            return logging.INFO


def _measures(facts: Mapping[str, Any]) -> str:
    """`12.3 MB in 8.1 s, 15.9 s of CPU, 512 MB of memory at most`, as far as the facts have it."""
    made, seconds = facts.get("bytes"), facts.get("seconds")
    cpu, peak = facts.get("cpu_seconds"), facts.get("peak_bytes")
    words = [f"{made / 1e6:.1f} MB" if made is not None else "", f"in {seconds:.1f} s" if seconds else ""]
    cost = [" ".join(filter(None, words))]
    cost += [f"{cpu:.1f} s of CPU"] if cpu is not None else []
    cost += [f"{peak / 1e6:.0f} MB of memory at most"] if peak else []
    return ", ".join(filter(None, cost))


def _joined(head: str, rest: str) -> str:
    return f"{head}: {rest}" if rest else head


def _code(facts: Mapping[str, Any]) -> str:
    return f" ({facts['code']})" if "code" in facts else ""


def _about(record: logging.LogRecord) -> Mapping[str, Any]:
    about: Mapping[str, Any] = getattr(record, "about", {})
    return about


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):  # a stranger's call whose words do not fit its form
        return f"{record.msg} {record.args}"


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    return formatter.formatException(record.exc_info) if record.exc_info else ""


def _shown(text: str) -> str:
    """On one line; characters that a terminal would obey appear as escapes."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _log_death(death: threading.ExceptHookArgs) -> None:
    name = death.thread.name if death.thread else "?"
    trace = (death.exc_type, death.exc_value or death.exc_type(), death.exc_traceback)
    _log.error("the thread %s died", name, exc_info=trace)
