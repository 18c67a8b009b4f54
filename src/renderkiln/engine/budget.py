"""Whether a key may spend more: asked in the transaction that queues the jobs it would be spent on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from renderkiln.database import costs, jobs, keys
from renderkiln.domain.budget import Budget
from renderkiln.domain.cost import amount
from renderkiln.domain.errors import UserError


class OverBudget(UserError):
    """The account of the key has spent what it may, or would by this."""


@dataclass(frozen=True)
class Used:
    """Of a budget, in billionths: what is spent, and what jobs that have not ended will probably cost."""

    spent: int
    promised: int


def used_of(connection: sa.Connection, account: str, budget: Budget, now: datetime) -> Used:
    """What an account has used in the period that it is `now`."""
    spent = costs.spent(connection, account, budget.currency, budget.begins(now))
    return Used(spent, jobs.expected_cost_of_open(connection, account))


def check(connection: sa.Connection, key_id: str, expected: int, now: datetime) -> None:
    """See that `expected` more billionths may be spent by this key. Raises OverBudget.

    What jobs that have not ended will probably cost counts as spent; so does what other keys of its account
    have spent. Nobody else passes here for the same account until this transaction ends.
    """
    key = keys.find(connection, key_id)
    if key is None or (budget := key.budget) is None:
        return
    keys.lock_account(connection, key.account)
    used = used_of(connection, key.account, budget, now)
    left = budget.amount - used.spent - used.promised
    if left > 0 and expected <= left:
        return

    def told(value: int) -> str:
        return amount(value, budget.currency)

    ends = budget.ends(now)
    until = "" if ends is None else f" until {ends:%Y-%m-%d %H:%M} UTC"
    more = f", and jobs that have not ended will cost about {told(used.promised)}" if used.promised else ""
    raise OverBudget(
        f"this would cost about {told(expected)}, but of a budget of {told(budget.amount)}{until} "
        f"{told(used.spent)} is spent{more}: wait, or ask for a larger budget"
    )
