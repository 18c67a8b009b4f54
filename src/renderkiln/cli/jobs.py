"""`renderkiln jobs`: what became of jobs, and what to do with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, get_args

import click

from renderkiln.cli.rooms import open_room
from renderkiln.domain.states import JobState

if TYPE_CHECKING:
    from renderkiln.engine.room import Room

SHAPE = click.option(
    "-o",
    "--output",
    "shape",
    type=click.Choice(["json", "jsonl", "table"]),
    default="table",
    help="How to print it [default: table]",
)
IDS = click.argument("ids", nargs=-1, required=True, metavar="ID...")


@click.group("jobs")
def jobs() -> None:
    """See, watch, cancel and retry jobs."""


@jobs.command("list")
@click.option(
    "--state", "states", multiple=True, type=click.Choice(get_args(JobState)), help="Only these; repeatable."
)
@click.option("--queue", help="Only of this queue.")
@click.option("--batch", help="Only of this batch.")
@click.option("--pipeline", help="Only of this pipeline.")
@click.option("--text", help="Only those with this text in their id or label.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, help="How many [default: 50]")
@SHAPE
def list_(shape: str, batch: str | None, **wanted: Any) -> None:
    """List jobs, the newest first."""
    from renderkiln.cli.tables import job_row
    from renderkiln.cli.words import put_list
    from renderkiln.database import jobs as rows

    with open_room() as room:
        with room.database.read() as connection:
            found = rows.page(connection, batch_id=batch, **wanted)
        put_list(shape, [each.report.to_json() for each in found], lambda: [job_row(each) for each in found])


@jobs.command("show")
@click.argument("id", metavar="ID")
@click.option("--events", "with_events", is_flag=True, help="Also everything that happened to it.")
@SHAPE
def show(id: str, shape: str, *, with_events: bool) -> None:
    """Show a job: how it stands, its attempts and what they used, its files."""
    from renderkiln.cli.jobsheet import put_sheet

    with open_room() as room:
        put_sheet(room, id, shape, with_events=with_events)


@jobs.command("watch")
@IDS
@SHAPE
def watch(ids: Sequence[str], shape: str) -> int:
    """Watch jobs to their end. Ctrl-C ends the watching, not the jobs.

    Exit status 0 if all were completed. With `-o json` and `jsonl` the results go to stdout.
    """
    from renderkiln.cli.watch import watch_jobs

    with open_room() as room:
        return watch_jobs(room, [room.job(id).report.job.id for id in ids], shape=shape)


@jobs.command("cancel")
@IDS
def cancel(ids: Sequence[str]) -> int:
    """Cancel jobs that wait or run. What a running one has finished is kept for a retry."""
    return _each(ids, lambda room, id: room.control.cancel(id), "cancelled")


@jobs.command("retry")
@IDS
@click.option("--from-scratch", is_flag=True, help="Begin anew instead of at the stage that failed.")
def retry(ids: Sequence[str], *, from_scratch: bool) -> int:
    """Queue failed or cancelled jobs again; they go on at the stage where they ended."""
    return _each(ids, lambda room, id: room.control.retry(id, from_scratch=from_scratch), "queued again")


@jobs.command("set")
@IDS
@click.option(
    "--priority", type=click.IntRange(1, 10_000), required=True, help="Low numbers run first (100 is usual)."
)
def set_(ids: Sequence[str], priority: int) -> int:
    """Let waiting jobs run sooner or later."""
    return _each(ids, lambda room, id: room.control.reprioritise(id, priority), f"priority {priority}")


def _each(ids: Sequence[str], act: Callable[[Room, str], object], done: str) -> int:
    """Do it to each, whatever happens to the others; exit status 1 if it failed for any."""
    from renderkiln.cli.words import say
    from renderkiln.domain.errors import UserError

    status = 0
    with open_room() as room:
        for id in ids:
            try:
                act(room, id)
                say(f"{id}: {done}")
            except UserError as error:
                say(str(error))
                status = 1
    return status
