"""`renderkiln webhooks`: addresses that are told what happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import click

from renderkiln.cli.ids import Id
from renderkiln.cli.jobs import SHAPE
from renderkiln.cli.opening import at_desk, open_post
from renderkiln.cli.post import Post, Told
from renderkiln.domain.delivery import DeliveryState

STATES = click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(get_args(DeliveryState)),
    help="Only these; repeatable.",
)
LIMIT = click.option("--limit", type=click.IntRange(1, 100_000), default=50, help="How many [default: 50]")
_WEBHOOK = click.argument("id", metavar="ID", type=Id("whk", "a webhook"))


@click.group("webhooks")
def webhooks() -> None:
    """Let addresses be told what happens, and see what became of it.

    Workers send it. With --server it takes an admin's key.
    """


@webhooks.command("list")
@SHAPE
@at_desk
def list_(shape: str) -> None:
    """List those that are told of everything, the newest first."""
    from renderkiln.cli.words import put_list

    with open_post() as post:
        found = post.webhooks()
    put_list(shape, found, lambda: [_row(each) for each in found])


@webhooks.command("add")
@click.argument("url", metavar="URL")
@click.option(
    "--type",
    "types",
    multiple=True,
    metavar="TYPE",
    help="Told of these alone; repeatable; '*': all [default: the ends of jobs and batches]",
)
@click.option("--label", default="", help="What people call it.")
@SHAPE
@at_desk
def add(url: str, types: tuple[str, ...], label: str, shape: str) -> None:
    r"""Let URL be told, and print the secret that messages are signed with. It is shown this once.

    \b
    renderkiln webhooks add https://example.com/hook
    renderkiln webhooks add https://example.com/hook --type job.failed --label ops -o json
    """
    with open_post() as post:
        made = post.add(url, types, label)
    _put_secret(shape, made, "is told of " + ", ".join(made["types"]))


@webhooks.command("show")
@_WEBHOOK
@SHAPE
@at_desk
def show(id: str, shape: str) -> None:
    """Show how a webhook stands; not its secret."""
    from renderkiln.cli.words import put_json, put_table

    with open_post() as post:
        found = post.webhook(id)
    if shape == "table":
        put_table([{"what": name, "how it stands": value} for name, value in _row(found).items() if value])
    else:
        put_json(found, indent=2 if shape == "json" else None)


@webhooks.command("remove")
@_WEBHOOK
@at_desk
def remove(id: str) -> None:
    """Forget a webhook, its log, and what waits for it."""
    _change(id, "removed", lambda post: post.remove(id))


@webhooks.command("enable")
@_WEBHOOK
@at_desk
def enable(id: str) -> None:
    """Take a webhook up again that was disabled: it is sent what has waited."""
    _change(id, "enabled", lambda post: post.enable(id, enabled=True))


@webhooks.command("disable")
@_WEBHOOK
@at_desk
def disable(id: str) -> None:
    """Send a webhook nothing more; what waits for it stays."""
    _change(id, "disabled", lambda post: post.enable(id, enabled=False))


@webhooks.command("rotate-secret")
@_WEBHOOK
@SHAPE
@at_desk
def rotate_secret(id: str, shape: str) -> None:
    """Make a new secret and print it. For a day, messages are signed with the old one, too."""
    with open_post() as post:
        rotated = post.rotate(id)
    _put_secret(shape, rotated, "has a new secret")


@webhooks.command("test")
@_WEBHOOK
@at_desk
def test(id: str) -> None:
    """Send it a `webhook.test`, and print the id of the delivery. A worker does the sending."""
    from renderkiln.cli.words import put, say

    with open_post() as post:
        sent = post.test(id)
    put(sent["id"])
    say(f"{id}: a webhook.test is on its way; `renderkiln webhooks deliveries {id}` says what came of it")


@webhooks.command("deliveries")
@_WEBHOOK
@STATES
@LIMIT
@SHAPE
@at_desk
def deliveries(id: str, states: tuple[DeliveryState, ...], limit: int, shape: str) -> None:
    r"""List what was and is to be sent to a webhook, the newest first.

    \b
    renderkiln webhooks deliveries whk_0123456789 --state failed
    """
    from renderkiln.cli.words import put_list

    with open_post() as post:
        found = post.deliveries(id, states, limit)
    put_list(shape, found, lambda: [delivery_row(each) for each in found])


@webhooks.command("replay")
@_WEBHOOK
@click.argument("ids", nargs=-1, required=True, metavar="DELIVERY...", type=Id("msg", "a delivery"))
@at_desk
def replay(id: str, ids: tuple[str, ...]) -> None:
    r"""Send deliveries again, now, under the same ids.

    \b
    renderkiln webhooks replay whk_0123456789 msg_0123456789abcdef
    """
    from renderkiln.cli.words import say

    with open_post() as post:
        for each in ids:
            post.replay(id, each)
            say(f"{each}: is sent again")


def delivery_row(told: Told) -> dict[str, Any]:
    """A delivery as a row for people."""
    from renderkiln.cli.tables import moment_told

    return {
        "id": told["id"],
        "state": told["state"],
        "tries": told["attempts"],
        **({"answer": told["status"] or ""} if "status" in told else {}),
        "type": told["type"],
        "created": moment_told(told["createdAt"]),
        "next": moment_told(told["nextAt"]),
        "why": told["error"],
    }


def _row(told: Told) -> dict[str, Any]:
    from renderkiln.cli.tables import moment_told

    failing = told["failingSince"]
    return {
        "id": told["id"],
        "state": "disabled" if not told["enabled"] else "failing" if failing else "enabled",
        "types": ",".join(told["types"]),
        "created": moment_told(told["createdAt"]),
        "failing since": moment_told(failing),
        "url": told["url"],
        "label": told["label"],
        "why": told["reason"],
    }


def _put_secret(shape: str, told: Told, what: str) -> None:
    from renderkiln.cli.words import put, put_json, say

    if shape == "table":
        put(told["secret"])
        say(f"{told['id']}: {what}; its secret is not shown again")
    else:
        put_json(told, indent=2 if shape == "json" else None)


def _change(id: str, done: str, act: Callable[[Post], None]) -> None:
    from renderkiln.cli.words import say

    with open_post() as post:
        act(post)
    say(f"{id}: {done}")
