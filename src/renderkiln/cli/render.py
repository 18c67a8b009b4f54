"""`renderkiln render`: renders here and now, with a progress bar for each job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from renderkiln.cli.options import FOLDER
from renderkiln.cli.orders import Form, PipelineGroup


def _command(form: Form) -> click.Command:
    @click.command(form.pipeline, help=form.help)
    @form.options
    @click.option("--out", type=FOLDER, help="Folder for finished files.")
    @click.option("--no-cache", is_flag=True, help="Begin anew instead of continuing what was interrupted.")
    @click.option(
        "-o",
        "--output",
        "shape",
        type=click.Choice(["json", "jsonl", "table"]),
        help="How to print the results.",
    )
    @click.option("-q", "--quiet", is_flag=True, help="Say only what went wrong.")
    def command(out: Path | None, shape: str | None, *, no_cache: bool, quiet: bool, **given: Any) -> int:
        from renderkiln.cli.rendering import render_all

        orders = form.orders(**given)
        return render_all(form.pipeline, orders, out=out, shape=shape, quiet=quiet, reuse=not no_cache)

    return command


@click.group("render", cls=PipelineGroup, command=_command)
def render() -> None:
    """Render here and now.

    Finished files appear under their final names only when they are complete and verified. After a kill the
    same command continues where it was.
    """
