"""`renderkiln batches`: jobs that were asked for together."""

from __future__ import annotations

import click

from renderkiln.cli.jobs import SHAPE
from renderkiln.cli.opening import at_desk, open_desk
from renderkiln.domain.states import JobState


@click.group("batches")
def batches() -> None:
    """See, watch, cancel and retry whole batches."""


@batches.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, help="How many [default: 20]")
@SHAPE
@at_desk
def list_(limit: int, shape: str) -> None:
    """List batches, the newest first."""
    from renderkiln.cli.tables import batch_row
    from renderkiln.cli.words import put_json, put_table

    with open_desk() as desk:
        found = desk.batches(limit)
        if shape == "table":
            put_table([batch_row(each.batch, each.counts, each.percent) for each in found])
        elif shape == "json":
            put_json([each.to_json() for each in found])
        else:
            for each in found:
                put_json(each.to_json(), indent=None)


@batches.command("show")
@click.argument("id", metavar="ID")
@SHAPE
@at_desk
def show(id: str, shape: str) -> None:
    """Show a batch and its jobs, how far they are together and how long they will still take."""
    from renderkiln.cli.tables import job_row
    from renderkiln.cli.words import clock, put, put_json, put_table

    with open_desk() as desk:
        report, stored = desk.batch_report(id), desk.batch(id)
        if shape != "table":
            sheet = report.to_json() | {"jobs": [each.report.to_json() for each in stored]}
            put_json(sheet, indent=2 if shape == "json" else None)
            return
        left = "" if report.remaining is None else f", {clock(report.remaining)} left"
        cost = "" if report.cost is None else f", {report.cost}"
        label = f" ({report.batch.label})" if report.batch.label else ""
        put(f"batch {id}{label}: {report.counts.state}, {report.percent:.0f} %{left}{cost}")
        put_table([job_row(each) for each in stored])


@batches.command("watch")
@click.argument("id", metavar="ID")
@SHAPE
@at_desk
def watch(id: str, shape: str) -> int:
    """Watch a batch to its end. Ctrl-C ends the watching, not the jobs.

    Exit status 0 if all its jobs were completed. With `-o json` and `jsonl` the results go to stdout.
    """
    from renderkiln.cli.watch import ids_of, watch_jobs

    with open_desk() as desk:
        return watch_jobs(desk, ids_of(desk.batch(id)), shape=shape)


@batches.command("cancel")
@click.argument("id", metavar="ID")
@at_desk
def cancel(id: str) -> None:
    """Cancel what has not ended of a batch."""
    from renderkiln.cli.words import say

    with open_desk() as desk:
        say(f"{id}: {len(desk.cancel_batch(id))} jobs cancelled")


@batches.command("retry")
@click.argument("id", metavar="ID")
@click.option("--cancelled", is_flag=True, help="Also the cancelled ones.")
@click.option("--from-scratch", is_flag=True, help="Begin anew instead of at the stages that failed.")
@at_desk
def retry(id: str, *, cancelled: bool, from_scratch: bool) -> int:
    """Queue the failed jobs of a batch again. Exit status 1 if the budget of the key left some out."""
    from renderkiln.cli.words import say

    with open_desk() as desk:
        states: set[JobState] = {"failed", "cancelled"} if cancelled else {"failed"}
        again = desk.retry_batch(id, states, from_scratch=from_scratch)
    say(f"{id}: {len(again.jobs)} jobs queued again")
    if again.refused:
        say(f"{id}: {again.refused} more cost too much, and were left as they are: {again.budget}")
    return 1 if again.refused else 0
