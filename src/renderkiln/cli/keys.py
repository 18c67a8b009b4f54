"""`renderkiln keys`: who may use the HTTP API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from renderkiln.cli.jobs import SHAPE
from renderkiln.cli.opening import open_here
from renderkiln.cli.words import put, put_json, put_list, say
from renderkiln.domain.access import SCOPES, Scope
from renderkiln.domain.budget import PERIODS, Budget, Period
from renderkiln.domain.cost import billionths

if TYPE_CHECKING:
    from renderkiln.database.keys import StoredKey


@click.group("keys")
def keys() -> None:
    """Make keys for the HTTP API, list them, and revoke them."""


@keys.command("create")
@click.option("--name", required=True, help="Whose it is, or what for: people tell it by this.")
@click.option(
    "--scope",
    type=click.Choice(SCOPES),
    default="submit",
    help="read: to look; submit: to queue jobs and steer them, too; admin: all [default: submit]",
)
@click.option(
    "--account", metavar="NAME", help="Keys of one account see each other's jobs [default: one of its own]"
)
@click.option(
    "--budget",
    type=click.FloatRange(0, 1e9, min_open=True),
    metavar="AMOUNT",
    help="What its account may spend at most, in the setting currency; jobs beyond it are refused",
)
@click.option(
    "--budget-period",
    "period",
    type=click.Choice(PERIODS),
    default="month",
    help="In what time [default: month]",
)
@SHAPE
def create(
    name: str, scope: Scope, account: str | None, budget: float | None, period: Period, shape: str
) -> None:
    """Make a key and print it. It is shown this once: only a hash of it is kept."""
    with open_here("renderkiln keys") as kiln:
        allowed = None
        if budget is not None:
            allowed = Budget(billionths(budget), period, kiln.settings.currency)
        made, secret = kiln.keys.create(name, scope, account, allowed)
    if shape == "table":
        put(secret)
        say(f"{made.name}: key {made.id}, scope {scope}; it is not shown again")
    else:
        put_json({**made.to_json(), "key": secret}, indent=2 if shape == "json" else None)


@keys.command("list")
@SHAPE
def list_(shape: str) -> None:
    """List keys, the newest first; not what they are, but what they are called."""
    with open_here("renderkiln keys") as kiln:
        found = kiln.keys.list()
    put_list(shape, [each.to_json() for each in found], lambda: [_row(each) for each in found])


@keys.command("revoke")
@click.argument("id", metavar="ID")
def revoke(id: str) -> None:
    """Let a key open nothing any more, from its next request on."""
    with open_here("renderkiln keys") as kiln:
        kiln.keys.revoke(id)
    say(f"{id}: revoked")


def _row(key: StoredKey) -> dict[str, Any]:
    from renderkiln.cli.tables import moment

    return {
        "id": key.id,
        "key": f"{key.start}…",
        "scope": key.scope,
        "account": key.account,
        "created": moment(key.created_at),
        "used": moment(key.used_at) if key.used_at else "never",
        "budget": key.budget or "",
        "revoked": moment(key.revoked_at),
        "name": key.name,
    }
