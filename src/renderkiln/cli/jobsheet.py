"""All that is known of one job."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from renderkiln.cli.tables import attempt_row, moment
from renderkiln.cli.words import put, put_json, put_table, shown, size
from renderkiln.database import attempts, costs, dependencies, events
from renderkiln.database.events import StoredEvent
from renderkiln.database.jobs import StoredJob
from renderkiln.engine.room import Room


def put_sheet(room: Room, id: str, shape: str, *, with_events: bool) -> None:
    """Print the job `id`. Raises UserError if there is none."""
    stored = room.job(id)
    with room.database.read() as connection:
        tried = attempts.of_job(connection, id)
        paid = costs.of_attempts(connection, id)
        unmet = dependencies.unmet(connection, [id]).get(id, {})
        told = events.after(connection, 0, job_id=id, limit=100_000) if with_events else []
    if shape != "table":
        sheet = stored.report.to_json() | {
            "attempts": [each.to_json(paid.get(each.number)) for each in tried],
            "waitsFor": unmet,
        }
        if with_events:
            sheet["events"] = [each.to_json() for each in told]
        put_json(sheet, indent=2 if shape == "json" else None)
        return
    width = max(len(key) for key, _ in _facts(stored))
    for key, value in _facts(stored):
        put(f"{key:<{width}}  {shown(value)}")
    for needed, state in unmet.items():
        put(f"{'waits for':<{width}}  {needed}, which is {state}")
    _put_part("attempts", [attempt_row(each) for each in tried])
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
