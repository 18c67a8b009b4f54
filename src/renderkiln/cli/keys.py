"""`renderkiln keys`: who may use the HTTP API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

import click

from renderkiln.cli.ids import Id
from renderkiln.cli.jobs import SHAPE
from renderkiln.cli.keyring import Allowance, Keyring, Told
from renderkiln.cli.opening import at_desk, open_keyring
from renderkiln.cli.words import put, put_json, put_list, say
from renderkiln.domain.access import SCOPES, Scope
from renderkiln.domain.budget import PERIODS, Budget, Period
from renderkiln.domain.cost import billionths

F = TypeVar("F", bound=Callable[..., Any])

_KEY = click.argument("id", metavar="ID", type=Id("key", "a key"))


def _described(*, is_new: bool) -> Callable[[F], F]:
    """What can be said of a key. What is left out is as it was, for one that is not new."""
    scope, period = ("submit", "month") if is_new else (None, None)

    def declare(command: F) -> F:
        for option in (
            click.option(
                "--budget-period",
                "period",
                type=click.Choice(PERIODS),
                default=period,
                help=f"In what time [default: {'month' if is_new else 'as it was, else month'}]",
            ),
            click.option(
                "--budget",
                type=click.FloatRange(0, 1e9, min_open=True),
                metavar="AMOUNT",
                help="Most that its account may spend, in the setting currency: jobs beyond it are refused",
            ),
            click.option(
                "--scope",
                type=click.Choice(SCOPES),
                default=scope,
                help="read: to look; submit: to queue jobs and steer them, too; admin: all "
                f"[default: {scope or 'as it was'}]",
            ),
            click.option("--name", required=is_new, help="Whose it is, or what for: people tell it by this."),
        ):
            command = option(command)
        return command

    return declare


@click.group("keys")
def keys() -> None:
    """Make keys for the HTTP API, list, change and revoke them.

    With --server it takes an admin's key.
    """


@keys.command("create")
@_described(is_new=True)
@click.option(
    "--account", metavar="NAME", help="Keys of one account see each other's jobs [default: one of its own]"
)
@SHAPE
@at_desk
def create(
    name: str, scope: Scope, account: str | None, budget: float | None, period: Period, shape: str
) -> None:
    """Make a key and print it. It is shown this once: only a hash of it is kept."""
    allowed = None if budget is None else Allowance(budget, period)
    with open_keyring() as keyring:
        made = keyring.create(name, scope, account, allowed)
    if shape == "table":
        put(made["key"])
        say(f"{made['name']}: key {made['id']}, scope {made['scope']}; it is not shown again")
    else:
        put_json(made, indent=2 if shape == "json" else None)


@keys.command("list")
@SHAPE
@at_desk
def list_(shape: str) -> None:
    """List keys, the newest first; not what they are, but what they are called."""
    with open_keyring() as keyring:
        found = keyring.everyone()
    put_list(shape, found, lambda: [_row(each) for each in found])


@keys.command("change")
@_KEY
@_described(is_new=False)
@click.option("--no-budget", is_flag=True, help="Let its account spend any amount.")
@SHAPE
@at_desk
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
    with open_keyring() as keyring:
        allowed: Allowance | Literal["as it was"] | None = None if no_budget else "as it was"
        if budget is not None or period is not None:
            allowed = _allowance(keyring, id, budget, period)
        changed = keyring.change(id, name=name, scope=scope, budget=allowed)
    if shape == "table":
        told = _budget(changed) or "no budget"
        say(f"{changed['name']}: key {id}, scope {changed['scope']}, {told}")
    else:
        put_json(changed, indent=2 if shape == "json" else None)


@keys.command("revoke")
@_KEY
@at_desk
def revoke(id: str) -> None:
    """Let a key open nothing any more, from its next request on."""
    with open_keyring() as keyring:
        keyring.revoke(id)
    say(f"{id}: revoked")


def _allowance(keyring: Keyring, id: str, amount: float | None, period: Period | None) -> Allowance:
    """What is not said is as it was. Raises UsageError where there was none."""
    was = next((each["budget"] for each in keyring.everyone() if each["id"] == id), None) or {}
    if amount is None and not was:
        raise click.UsageError(f"key {id} has no budget whose time could be changed: say --budget, too")
    return Allowance(was["amount"] if amount is None else amount, period or was.get("period", "month"))


def _budget(told: Told) -> Budget | None:
    budget = told["budget"]
    if budget is None:
        return None
    return Budget(billionths(budget["amount"]), budget["period"], budget["currency"])


def _row(key: Told) -> dict[str, Any]:
    from renderkiln.cli.tables import moment_told

    return {
        "id": key["id"],
        "key": f"{key['start']}…",
        "scope": key["scope"],
        "account": key["account"],
        "created": moment_told(key["createdAt"]),
        "used": moment_told(key["usedAt"]) or "never",
        "budget": _budget(key) or "",
        "revoked": moment_told(key["revokedAt"]),
        "name": key["name"],
    }
