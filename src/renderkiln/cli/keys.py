"""`renderkiln keys`: who may use the HTTP API."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from renderkiln.cli.jobs import SHAPE
from renderkiln.cli.opening import open_here
from renderkiln.cli.words import put, put_json, put_list, say
from renderkiln.domain.access import SCOPES, Scope
from renderkiln.domain.budget import PERIODS, Budget, Period
from renderkiln.domain.cost import billionths

if TYPE_CHECKING:
    from renderkiln.app import Renderkiln
    from renderkiln.database.keys import StoredKey


@click.group("keys")
def keys() -> None:
    """Make keys for the HTTP API, list, change and revoke them."""


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


@keys.command("change")
@click.argument("id", metavar="ID")
@click.option("--name", help="Whose it is, or what for.")
@click.option("--scope", type=click.Choice(SCOPES), help="read: to look; submit: to queue, too; admin: all.")
@click.option(
    "--budget",
    type=click.FloatRange(0, 1e9, min_open=True),
    metavar="AMOUNT",
    help="What its account may spend at most, in the setting currency",
)
@click.option(
    "--budget-period",
    "period",
    type=click.Choice(PERIODS),
    help="In what time [default: as it was, else month]",
)
@click.option("--no-budget", is_flag=True, help="Let its account spend any amount.")
@SHAPE
def change(
    id: str,
    name: str | None,
    scope: Scope | None,
    budget: float | None,
    period: Period | None,
    shape: str,
    *,
    no_budget: bool,
) -> None:
    """Change what a key is called, may do and may spend, from its next request on."""
    if no_budget and (budget is not None or period is not None):
        raise click.UsageError("say either --no-budget or what the budget is")
    if not no_budget and all(each is None for each in (name, scope, budget, period)):
        raise click.UsageError("say what is to be different: its --name, --scope or --budget")
    with open_here("renderkiln keys") as kiln:
        wish: dict[str, Any] = {"budget": None} if no_budget else {}
        if budget is not None or period is not None:
            wish = {"budget": _budget(kiln, id, budget, period)}
        changed = kiln.keys.change(id, name=name, scope=scope, **wish)
    if shape == "table":
        say(f"{changed.name}: key {id}, scope {changed.scope}, {changed.budget or 'no budget'}")
    else:
        put_json(changed.to_json(), indent=2 if shape == "json" else None)


@keys.command("revoke")
@click.argument("id", metavar="ID")
def revoke(id: str) -> None:
    """Let a key open nothing any more, from its next request on."""
    with open_here("renderkiln keys") as kiln:
        kiln.keys.revoke(id)
    say(f"{id}: revoked")


def _budget(kiln: Renderkiln, id: str, amount: float | None, period: Period | None) -> Budget:
    """What is not said is as it was. Raises UsageError where there was none."""
    was = next((each.budget for each in kiln.keys.list() if each.id == id), None)
    if was is None and amount is None:
        raise click.UsageError(f"key {id} has no budget whose time could be changed: say --budget, too")
    time = period or (was.period if was else "month")
    if amount is not None:
        return Budget(billionths(amount), time, kiln.settings.currency)
    assert was is not None
    return replace(was, period=time)


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
