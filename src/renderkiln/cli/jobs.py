"""`renderkiln jobs`: what became of jobs, and what to do with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

import click

from renderkiln.cli.desk import Desk
from renderkiln.cli.opening import at_desk, open_desk
from renderkiln.domain.states import JobState

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
@at_desk
def list_(shape: str, **wanted: Any) -> None:
    """List jobs, the newest first."""
    from renderkiln.cli.tables import job_row
    from renderkiln.cli.words import put_list

    with open_desk() as desk:
        found = desk.jobs(**wanted)
        put_list(shape, [each.report.to_json() for each in found], lambda: [job_row(each) for each in found])


@jobs.command("show")
@click.argument("id", metavar="ID")
@click.option("--events", "with_events", is_flag=True, help="Also everything that happened to it.")
@SHAPE
@at_desk
def show(id: str, shape: str, *, with_events: bool) -> None:
    """Show a job: how it stands, its attempts and what they used, its files."""
    from renderkiln.cli.jobsheet import put_sheet

    with open_desk() as desk:
        put_sheet(desk.sheet(id, with_events=with_events), shape)


@jobs.command("watch")
@IDS
@SHAPE
@at_desk
def watch(ids: Sequence[str], shape: str) -> int:
    """Watch jobs to their end. Ctrl-C ends the watching, not the jobs.

    Exit status 0 if all were completed. With `-o json` and `jsonl` the results go to stdout.
    """
    from renderkiln.cli.watch import watch_jobs

    with open_desk() as desk:
        return watch_jobs(desk, [desk.job(id).report.job.id for id in ids], shape=shape)


@jobs.command("download")
@IDS
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Folder for the files [default: this one]",
)
@at_desk
def download(ids: Sequence[str], out: Path) -> int:
    """Get the finished files of jobs, from a server or from where they lie here.

    Their paths go to stdout. A file gets its name when its SHA-256 is right; one that broke off goes on. None
    that is there is overwritten: the same one counts as got, another one is an error.
    """
    from renderkiln.cli.words import put

    def get(desk: Desk, id: str) -> None:
        for path in desk.download(id, out):
            put(str(path))

    return _each(ids, get, "downloaded")


@jobs.command("cancel")
@IDS
@at_desk
def cancel(ids: Sequence[str]) -> int:
    """Cancel jobs that wait or run. What a running one has finished is kept for a retry."""
    return _each(ids, lambda desk, id: desk.cancel(id), "cancelled")


@jobs.command("retry")
@IDS
@click.option("--from-scratch", is_flag=True, help="Begin anew instead of at the stage that failed.")
@click.option(
    "--from",
    "from_stage",
    metavar="STAGE",
    help="Begin at this stage: what was finished of it and of those after it is made anew.",
)
@at_desk
def retry(ids: Sequence[str], *, from_scratch: bool, from_stage: str | None) -> int:
    """Queue failed or cancelled jobs again; they go on at the stage where they ended."""
    if from_scratch and from_stage is not None:
        raise click.UsageError("say either --from or --from-scratch")
    return _each(
        ids,
        lambda desk, id: desk.retry(id, from_scratch=from_scratch, from_stage=from_stage),
        "queued again",
    )


@jobs.command("set")
@IDS
@click.option(
    "--priority", type=click.IntRange(1, 10_000), required=True, help="Low numbers run first (100 is usual)."
)
@at_desk
def set_(ids: Sequence[str], priority: int) -> int:
    """Let waiting jobs run sooner or later."""
    return _each(ids, lambda desk, id: desk.reprioritise(id, priority), f"priority {priority}")


def _each(ids: Sequence[str], act: Callable[[Desk, str], object], done: str) -> int:
    """Do it to each, whatever happens to the others; exit status 1 if it failed for any."""
    from renderkiln.cli.words import say
    from renderkiln.domain.errors import UserError

    status = 0
    with open_desk() as desk:
        for id in ids:
            try:
                act(desk, id)
                say(f"{id}: {done}")
            except UserError as error:
                say(str(error))
                status = 1
    return status
