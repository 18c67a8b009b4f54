"""`renderkiln estimate`: what jobs would take, before anybody makes them."""

from __future__ import annotations

from typing import Any

import click

from renderkiln.cli.jobs import SHAPE
from renderkiln.cli.opening import at_desk
from renderkiln.cli.orders import Form, PipelineGroup


def _command(form: Form) -> click.Command:
    @click.command(form.pipeline, help=form.help)
    @form.options
    @SHAPE
    @at_desk
    def command(shape: str, **given: Any) -> int:
        from renderkiln.cli.estimating import estimate_all

        return estimate_all(form.pipeline, form.orders(**given), shape)

    return command


@click.group("estimate", cls=PipelineGroup, command=_command)
def estimate() -> None:
    """Say what jobs would take, without making them.

    Files are asked for their length and nothing else. What such jobs have taken here before decides; where
    there were none, it is a guess and says so. Waiting in a queue is not in it.
    """
