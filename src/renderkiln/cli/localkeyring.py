"""Keys in the database of this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from renderkiln.app import Renderkiln
from renderkiln.cli.keyring import Allowance, Told
from renderkiln.domain.access import Scope
from renderkiln.domain.budget import Budget
from renderkiln.domain.cost import billionths


@dataclass(frozen=True)
class LocalKeyring:
    """Goes to the database of the settings."""

    kiln: Renderkiln

    def everyone(self) -> Sequence[Told]:
        return [each.to_json() for each in self.kiln.keys.list()]

    def create(self, name: str, scope: Scope, account: str | None, budget: Allowance | None) -> Told:
        made, secret = self.kiln.keys.create(name, scope, account, self._allowed(budget))
        return {**made.to_json(), "key": secret}

    def change(
        self,
        id: str,
        *,
        name: str | None,
        scope: Scope | None,
        budget: Allowance | Literal["as it was"] | None,
    ) -> Told:
        wish: dict[str, Any] = {} if budget == "as it was" else {"budget": self._allowed(budget)}
        return self.kiln.keys.change(id, name=name, scope=scope, **wish).to_json()

    def revoke(self, id: str) -> None:
        self.kiln.keys.revoke(id)

    def _allowed(self, budget: Allowance | None) -> Budget | None:
        if budget is None:
            return None
        return Budget(billionths(budget.amount), budget.period, self.kiln.settings.currency)
