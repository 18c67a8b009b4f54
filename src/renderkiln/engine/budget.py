"""Whether a key may spend more: asked in the transaction that queues the jobs it would be spent on."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from renderkiln.database import costs, jobs, keys
from renderkiln.domain.cost import amount
from renderkiln.domain.errors import UserError


class OverBudget(UserError):
    """The account of the key has spent what it may, or would by this."""


def check(connection: sa.Connection, key_id: str, expected: int, now: datetime) -> None:
    """See that `expected` more billionths may be spent by this key. Raises OverBudget.

    What jobs that have not ended will probably cost counts as spent; so does what other keys of its account
    have spent. Nobody else passes here for the same account until this transaction ends.
    """
    key = keys.find(connection, key_id)
    if key is None or (budget := key.budget) is None:
        return
    keys.lock_account(connection, key.account)
    spent = costs.spent(connection, key.account, budget.currency, budget.begins(now))
    promised = jobs.expected_cost_of_open(connection, key.account)
    left = budget.amount - spent - promised
    if left > 0 and expected <= left:
        return

    def told(value: int) -> str:
        return amount(value, budget.currency)

    ends = budget.ends(now)
    until = "" if ends is None else f" until {ends:%Y-%m-%d %H:%M} UTC"
    more = f", and jobs that have not ended will cost about {told(promised)}" if promised else ""
    raise OverBudget(
        f"this would cost about {told(expected)}, but of a budget of {told(budget.amount)}{until} "
        f"{told(spent)} is spent{more}: wait, or ask for a larger budget"
    )
