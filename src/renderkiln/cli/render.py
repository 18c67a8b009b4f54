"""`renderkiln render`: renders here and now, with a progress bar for each job."""

from __future__ import annotations

import click

from renderkiln.cli.lazy import LazyGroup


@click.group(
    "render",
    cls=LazyGroup,
    lazy={"visualizer": ("renderkiln.cli.visualizer:visualizer", "Turn songs into audio-reactive films.")},
)
def render() -> None:
    """Render here and now.

    Finished files appear under their final names only when they are complete and verified. After a kill the
    same command continues where it was.
    """
