"""`renderkiln events`: events of one's own, and what became of those that have handlers."""

from __future__ import annotations

from typing import Any

import click

from renderkiln.cli.ids import Id
from renderkiln.cli.jobs import SHAPE
from renderkiln.cli.opening import at_desk, open_post
from renderkiln.cli.webhooks import LIMIT, STATES, delivery_row
from renderkiln.domain.delivery import DeliveryState


class Payload(click.ParamType[dict[str, Any]]):
    """A JSON object."""

    name = "json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, Any]:
        import json

        try:
            read = json.loads(value)
        except (ValueError, RecursionError) as error:
            self.fail(f"it is no JSON: {error}", param, ctx)
        if not isinstance(read, dict):
            self.fail('it is no JSON object, such as {"userId": "u1"}', param, ctx)
        return read


@click.group("events")
def events() -> None:
    """Emit events, see what became of them, and retry those that failed."""


@events.command("emit")
@click.argument("type", metavar="TYPE")
@click.option(
    "--payload", type=Payload(), default="{}", metavar="JSON", help="What its handlers need to know."
)
@SHAPE
@at_desk
def emit(type: str, payload: dict[str, Any], shape: str) -> None:
    r"""Emit an event: for its handlers, for webhooks, and for who watches. Print its number.

    \b
    renderkiln events emit user.upgraded --payload '{"userId": "u1", "plan": "pro"}'
    """
    from renderkiln.cli.words import put, put_json, say

    with open_post() as post:
        made = post.emit(type, payload)
    if shape == "table":
        put(str(made["id"]))
    else:
        put_json(made, indent=2 if shape == "json" else None)
    if not made["handled"]:
        say(f"no handler is installed for the type {type}")


@events.command("list")
@STATES
@click.option("--type", help="Only of this type.")
@LIMIT
@SHAPE
@at_desk
def list_(states: tuple[DeliveryState, ...], type: str | None, limit: int, shape: str) -> None:
    """List events that have a handler, and what became of them, the newest first."""
    from renderkiln.cli.words import put_list

    with open_post() as post:
        found = post.handled(states, type, limit)
    put_list(shape, found, lambda: [delivery_row(each) for each in found])


@events.command("retry")
@click.argument("ids", nargs=-1, required=True, metavar="ID...", type=Id("msg", "a handled event"))
@at_desk
def retry(ids: tuple[str, ...]) -> None:
    r"""Give failed events to their handlers again: five tries more. `events list` has their ids.

    \b
    renderkiln events list --state failed
    renderkiln events retry msg_0123456789abcdef
    """
    from renderkiln.cli.words import say

    with open_post() as post:
        for each in ids:
            post.retry(each)
            say(f"{each}: is handled again")
