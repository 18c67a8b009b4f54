"""`renderkiln queues`: how they stand, and how many of their jobs may run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from renderkiln.cli.desk import Desk
from renderkiln.cli.jobs import SHAPE
from renderkiln.cli.opening import at_desk, open_desk


class Limit(click.ParamType[int | str]):
    """A number of jobs, or `default` for what the settings say."""

    name = "number|default"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        return "default" if value == "default" else click.IntRange(1, 10_000).convert(value, param, ctx)


@click.group("queues")
def queues() -> None:
    """See, pause and limit queues."""


@queues.command("list")
@SHAPE
@at_desk
def list_(shape: str) -> None:
    """List the queues: what waits and runs in them, since when, and their limits."""
    from datetime import UTC, datetime

    from renderkiln.cli.tables import queue_row
    from renderkiln.cli.words import put_list

    now = datetime.now(UTC)
    with open_desk() as desk:
        reports = desk.queues()
    rows = [report.to_json(now) for report in reports]
    put_list(shape, rows, lambda: [queue_row(report, now) for report in reports])


@queues.command("pause")
@click.argument("name", metavar="QUEUE")
@at_desk
def pause(name: str) -> None:
    """Start no more jobs of a queue; those that run go on."""
    _change(name, "paused", lambda desk: desk.pause(name))


@queues.command("resume")
@click.argument("name", metavar="QUEUE")
@at_desk
def resume(name: str) -> None:
    """Start jobs of a queue again."""
    _change(name, "open again", lambda desk: desk.resume(name))


@queues.command("set")
@click.argument("name", metavar="QUEUE")
@click.option("--worker-limit", type=Limit(), help="Jobs at once in each worker.")
@click.option(
    "--global-limit",
    type=Limit(),
    help="Jobs at once over all workers; of storage-upload, over those of each machine.",
)
@at_desk
def set_(name: str, **limits: Any) -> None:
    """Change how many jobs of a queue run at once; running workers follow within a second."""
    from renderkiln.domain.errors import UsageError

    given = {key: None if value == "default" else value for key, value in limits.items() if value is not None}
    if not given:
        raise UsageError("say what to set: --worker-limit or --global-limit, a number or `default`")
    _change(name, "limits changed", lambda desk: desk.limit(name, given))


def _change(name: str, done: str, act: Callable[[Desk], None]) -> None:
    from renderkiln.cli.words import say

    with open_desk() as desk:
        act(desk)
        say(f"{name}: {done}")
