"""Queues the orders of one call."""

from __future__ import annotations

from collections.abc import Sequence

from renderkiln.cli.desk import Queued, Terms
from renderkiln.cli.opening import open_desk
from renderkiln.cli.orders import Order
from renderkiln.cli.tables import job_row
from renderkiln.cli.words import put, put_json, put_table, say
from renderkiln.database.jobs import StoredJob


def submit_all(
    pipeline: str, orders: Sequence[Order], terms: Terms, *, shape: str | None, watch: bool, quiet: bool
) -> int:
    """Queue all orders as one batch, or none; print their ids; the exit status. Raises UserError."""
    with open_desk() as desk:
        queued = desk.submit(pipeline, orders, terms)
        if not quiet:
            _explain(queued)
        _put(queued.batch, queued.jobs, shape)
        if watch:
            from renderkiln.cli.watch import watch_jobs

            return watch_jobs(desk, [each.report.job.id for each in queued.jobs], shape=None)
    return 0


def _explain(queued: Queued) -> None:
    batch, number = queued.batch, len(queued.jobs)
    count = f"{number} job{'s' if number != 1 else ''}"
    say(f"batch {batch}: {count} queued" if queued.is_new else f"batch {batch} was submitted before: {count}")
    if queued.idle is not None:
        say(f"no worker is at the queue {queued.idle}: start one with `renderkiln worker`")


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
