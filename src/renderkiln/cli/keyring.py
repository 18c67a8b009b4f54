"""Where commands ask for keys: the database of this machine, or a server.

What they get is JSON as the API tells it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from renderkiln.domain.access import Scope
from renderkiln.domain.budget import Period

Told = Mapping[str, Any]


class Allowance(NamedTuple):
    """What an account may spend, in the currency of where its keys are."""

    amount: float
    period: Period


class Keyring(Protocol):
    """Every verb raises UserError for a key that there is not, and UsageError for a name that is none."""

    def everyone(self) -> Sequence[Told]:
        """The newest first."""

    def create(self, name: str, scope: Scope, account: str | None, budget: Allowance | None) -> Told:
        """With what its holder sends, as its `key`."""

    def change(
        self,
        id: str,
        *,
        name: str | None,
        scope: Scope | None,
        budget: Allowance | Literal["as it was"] | None,
    ) -> Told:
        """A `budget` of None allows any amount."""

    def revoke(self, id: str) -> None: ...
