"""`renderkiln queues`: how they stand, and how many of their jobs may run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from renderkiln.cli.jobs import SHAPE
from renderkiln.cli.rooms import open_room

if TYPE_CHECKING:
    from renderkiln.engine.queues import Queues


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
def list_(shape: str) -> None:
    """List the queues: what waits and runs in them, since when, and their limits."""
    from datetime import UTC, datetime

    from renderkiln.cli.tables import queue_row
    from renderkiln.cli.words import put_json, put_table
    from renderkiln.database import workers

    now = datetime.now(UTC)
    with open_room() as room:
        reports = room.queues.reports()
        with room.database.read() as connection:
            everyone = workers.everyone(connection)
    at = {report.name: sum(report.name in each.queues for each in everyone) for report in reports}
    if shape == "table":
        put_table([queue_row(report, at[report.name], now) for report in reports])
        return
    rows = [report.to_json(now) | {"workers": at[report.name]} for report in reports]
    if shape == "json":
        put_json(rows)
    else:
        for row in rows:
            put_json(row, indent=None)


@queues.command("pause")
@click.argument("name", metavar="QUEUE")
def pause(name: str) -> None:
    """Start no more jobs of a queue; those that run go on."""
    _change(name, "paused", lambda queues: queues.pause(name))


@queues.command("resume")
@click.argument("name", metavar="QUEUE")
def resume(name: str) -> None:
    """Start jobs of a queue again."""
    _change(name, "open again", lambda queues: queues.resume(name))


@queues.command("set")
@click.argument("name", metavar="QUEUE")
@click.option("--worker-limit", type=Limit(), help="Jobs at once in each worker.")
@click.option("--global-limit", type=Limit(), help="Jobs at once over all workers.")
def set_(name: str, **limits: Any) -> None:
    """Change how many jobs of a queue run at once; running workers follow within a second."""
    from renderkiln.domain.errors import UsageError

    given = {key: None if value == "default" else value for key, value in limits.items() if value is not None}
    if not given:
        raise UsageError("say what to set: --worker-limit or --global-limit, a number or `default`")
    _change(name, "limits changed", lambda queues: queues.set_limits(name, **given))


def _change(name: str, done: str, act: Callable[[Queues], None]) -> None:
    from renderkiln.cli.words import say

    with open_room() as room:
        act(room.queues)
        say(f"{name}: {done}")
