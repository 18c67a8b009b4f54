"""`renderkiln submit`: puts jobs into their queues and returns."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from renderkiln.cli.desk import Terms
from renderkiln.cli.moment import Moment
from renderkiln.cli.opening import at_desk
from renderkiln.cli.options import FOLDER
from renderkiln.cli.orders import Form, PipelineGroup


def _command(form: Form) -> click.Command:
    @click.command(form.pipeline, help=form.help)
    @form.options
    @click.option("--out", type=FOLDER, help="Folder for finished files, as the workers see it.")
    @click.option(
        "--priority", type=click.IntRange(1, 10_000), default=100, help="Low numbers run first [default: 100]"
    )
    @click.option("--at", type=Moment(), help="Do not begin before: 2026-11-25T20:00, 20:00, +90m.")
    @click.option(
        "--after", multiple=True, metavar="JOB", help="Begin when this job is completed; repeatable."
    )
    @click.option(
        "--idempotency-key",
        "key",
        metavar="KEY",
        help="The same call with the same key is made only once, ever.",
    )
    @click.option("--label", default="", help="What to call the batch.")
    @click.option("--watch", is_flag=True, help="Stay and watch the jobs to their end.")
    @click.option(
        "-o",
        "--output",
        "shape",
        type=click.Choice(["json", "jsonl", "table"]),
        help="How to print the jobs.",
    )
    @click.option("-q", "--quiet", is_flag=True, help="Say only what went wrong.")
    @at_desk
    def command(
        out: Path | None,
        priority: int,
        at: datetime | None,
        after: tuple[str, ...],
        key: str | None,
        label: str,
        shape: str | None,
        *,
        watch: bool,
        quiet: bool,
        **given: Any,
    ) -> int:
        from renderkiln.cli.submitting import submit_all

        terms = Terms(out, priority, at, after, key, label)
        return submit_all(form.pipeline, form.orders(**given), terms, shape=shape, watch=watch, quiet=quiet)

    return command


@click.group("submit", cls=PipelineGroup, command=_command)
def submit() -> None:
    """Queue jobs for workers, and return.

    The jobs survive whatever happens to this process. Their ids go to stdout; `renderkiln jobs watch` and
    `renderkiln batches watch` follow them, `renderkiln worker` runs them.
    """
