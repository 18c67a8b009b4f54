"""Queues the orders of one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from renderkiln.app import Renderkiln
from renderkiln.cli.orders import Order, jobs_of
from renderkiln.cli.tables import job_row
from renderkiln.cli.words import put, put_json, put_table, say
from renderkiln.database import workers
from renderkiln.database.jobs import StoredJob
from renderkiln.engine.submission import Submission
from renderkiln.settings import Settings


@dataclass(frozen=True)
class Terms:
    """On what terms jobs are queued."""

    out: Path | None
    priority: int
    at: datetime | None
    after: Sequence[str]
    key: str | None
    label: str


def submit_all(
    pipeline: str, orders: Sequence[Order], terms: Terms, *, shape: str | None, watch: bool, quiet: bool
) -> int:
    """Queue all orders as one batch, or none; print their ids; the exit status. Raises UserError."""
    with Renderkiln.open(Settings.load(output_dir=terms.out)) as kiln:
        jobs = jobs_of(kiln, pipeline, orders, priority=terms.priority)
        submission = Submission(
            batch_id=jobs[0].batch_id,
            jobs=jobs,
            output_dir=kiln.settings.output_dir.absolute(),
            label=terms.label,
            not_before=terms.at,
            key=terms.key,
            needs={job.id: terms.after for job in jobs} if terms.after else {},
        )
        batch = kiln.room.submit(submission)
        stored = kiln.room.batch(batch)
        if not quiet:
            _explain(kiln, batch, stored, is_new=batch == submission.batch_id)
        _put(batch, stored, shape)
        if watch:
            from renderkiln.cli.watch import watch_jobs

            return watch_jobs(kiln.room, [each.report.job.id for each in stored], shape=None)
    return 0


def _explain(kiln: Renderkiln, batch: str, stored: Sequence[StoredJob], *, is_new: bool) -> None:
    count = f"{len(stored)} job{'s' if len(stored) != 1 else ''}"
    say(f"batch {batch}: {count} queued" if is_new else f"batch {batch} was submitted before: {count}")
    queue = stored[0].report.job.queue
    with kiln.database.read() as connection:
        alive = [each for each in workers.everyone(connection) if queue in each.queues]
    if not alive:
        say(f"no worker is at the queue {queue}: start one with `renderkiln worker`")


def _put(batch: str, stored: Sequence[StoredJob], shape: str | None) -> None:
    match shape:
        case "json":
            put_json({"batchId": batch, "jobs": [each.report.to_json() for each in stored]})
        case "jsonl":
            for each in stored:
                put_json(each.report.to_json(), indent=None)
        case "table":
            put_table([job_row(each) for each in stored])
        case _:
            for each in stored:
                put(each.report.job.id)
