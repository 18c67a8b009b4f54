"""Keys of a server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from renderkiln.cli.keyring import Allowance, Told
from renderkiln.cli.remotedesk import plainly
from renderkiln.client import Client
from renderkiln.domain.access import Scope


@dataclass(frozen=True)
class RemoteKeyring:
    """Speaks to a server."""

    client: Client

    def everyone(self) -> Sequence[Told]:
        return [each.raw for each in self.client.keys()]  # noqa: SIM118 - no dictionary

    def create(self, name: str, scope: Scope, account: str | None, budget: Allowance | None) -> Told:
        allowed: dict[str, Any] = {} if budget is None else {"budget": budget.amount, "period": budget.period}
        with plainly():
            return self.client.create_key(name, scope, account=account, **allowed).raw

    def change(
        self,
        id: str,
        *,
        name: str | None,
        scope: Scope | None,
        budget: Allowance | Literal["as it was"] | None,
    ) -> Told:
        allowed: dict[str, Any] = {"no_budget": budget is None}
        if isinstance(budget, Allowance):
            allowed |= {"budget": budget.amount, "period": budget.period}
        with plainly():
            return self.client.change_key(id, name=name, scope=scope, **allowed).raw

    def revoke(self, id: str) -> None:
        self.client.revoke_key(id)
