"""All that is known of one job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renderkiln.cli.tables import attempt_row, moment
from renderkiln.cli.words import put, put_json, put_table, shown, size
from renderkiln.database.attempts import AttemptRow
from renderkiln.database.events import StoredEvent
from renderkiln.database.jobs import StoredJob
from renderkiln.domain.cost import Cost


@dataclass(frozen=True)
class Sheet:
    """A job, its attempts, what they have cost, the jobs it waits for; and, if asked for, what happened."""

    stored: StoredJob
    tried: Sequence[AttemptRow]
    paid: Mapping[int, Cost]
    unmet: Mapping[str, str]
    told: Sequence[StoredEvent] | None = None


def put_sheet(of: Sheet, shape: str) -> None:
    """Print it."""
    stored, told = of.stored, of.told or ()
    if shape != "table":
        sheet = stored.report.to_json() | {
            "attempts": [each.to_json(of.paid.get(each.number)) for each in of.tried],
            "waitsFor": of.unmet,
        }
        if of.told is not None:
            sheet["events"] = [each.to_json() for each in told]
        put_json(sheet, indent=2 if shape == "json" else None)
        return
    width = max(len(key) for key, _ in _facts(stored))
    for key, value in _facts(stored):
        put(f"{key:<{width}}  {shown(value)}")
    for needed, state in of.unmet.items():
        put(f"{'waits for':<{width}}  {needed}, which is {state}")
    _put_part("attempts", [attempt_row(each) for each in of.tried])
    _put_part("events", [_event_row(each) for each in told])


def _facts(stored: StoredJob) -> Iterator[tuple[str, Any]]:
    report = stored.report
    job = report.job
    yield "job", f"{job.id} ({job.label})"
    yield "state", f"{report.state}, {report.progress:.0f} %, attempt {report.attempt} of {job.max_attempts}"
    if report.message:
        yield "message", report.message
    yield "pipeline", f"{job.pipeline} in the queue {job.queue}, priority {job.priority}"
    yield "created", moment(job.created_at)
    for name, when in (("started", report.started_at), ("ended", report.completed_at)):
        if when is not None:
            yield name, moment(when)
    if stored.not_before is not None and report.state == "pending":
        yield "not before", moment(stored.not_before)
    if report.worker:
        yield "worker", report.worker
    for path in job.inputs:
        yield "input", path
    if stored.output_dir != Path():  # of a server it is not told
        yield "output", stored.output_dir
    for file in report.artifacts:
        words = file.facts.get("words", "")
        yield file.kind, f"{file.kept or file.path}  {size(file.size)}{f'  ({words})' if words else ''}"
    for text in report.warnings.values():
        yield "warning", text
    for stage, text in report.left_out.items():
        yield "left out", f"{stage}: {text}"
    if report.reused:
        yield "reused", ", ".join(report.reused)
    if report.cost is not None:
        yield "cost", report.cost
    if report.error:
        yield "error", f"{report.error.code}: {report.error.message}"


def _put_part(name: str, rows: list[Any]) -> None:
    if rows:
        put(f"\n{name}")
        put_table(rows)


def _event_row(stored: StoredEvent) -> dict[str, Any]:
    event = stored.event
    facts = " ".join(f"{key}={value}" for key, value in event.facts.items())
    return {
        "at": f"{event.at.astimezone():%H:%M:%S.%f}"[:-3],
        "event": event.name,
        "stage": event.stage or "",
        "%": "" if event.percent is None else f"{event.percent:.0f}",
        "message": event.message,
        "facts": facts,
    }
