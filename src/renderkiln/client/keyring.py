"""Who may use the server."""

from __future__ import annotations

from renderkiln.client.asking import data_of
from renderkiln.client.calls import Calls, all_of, given, part_of
from renderkiln.client.effects import Flow, Request
from renderkiln.client.method import operation
from renderkiln.client.records import Key
from renderkiln.domain.access import Scope
from renderkiln.domain.budget import Period
from renderkiln.domain.errors import UsageError


class Keyring(Calls):
    """All of it takes an admin's key. Keys are named by their ids, or by what an earlier call has brought."""

    @operation
    def keys(self) -> Flow[tuple[Key, ...]]:
        """The newest first, revoked ones among them; not what they are, but what they are called."""
        return all_of(Key, (yield from self._get("/keys")))

    @operation
    def create_key(
        self,
        name: str,
        scope: Scope = "submit",
        *,
        account: str | None = None,
        budget: float | None = None,
        period: Period = "month",
    ) -> Flow[Key]:
        """Make a key; what its holder sends is the `key` of the answer, which is shown this once.

        Keys of one `account` see each other's jobs; by default it has one of its own. That may spend `budget`
        in each `period`, in the server's currency; None: any amount.
        """
        allowed = None if budget is None else {"amount": budget, "period": period}
        body = {"name": name, "scope": scope, **given(account=account, budget=allowed)}
        return Key.of((yield from self._post("/keys", body, repeatable=False)))

    @operation
    def change_key(
        self,
        key: str | Key,
        *,
        name: str | None = None,
        scope: Scope | None = None,
        budget: float | None = None,
        period: Period = "month",
        no_budget: bool = False,
    ) -> Flow[Key]:
        """Change what is given, from its next request on. Raises Conflict for the last admin's key."""
        if no_budget and budget is not None:
            raise UsageError("say either no_budget or what the budget is")
        allowed = None if budget is None else {"amount": budget, "period": period}
        body = {**given(name=name, scope=scope, budget=allowed), **({"budget": None} if no_budget else {})}
        return Key.of((yield from data_of(Request("PATCH", _path(key), json=body), self._patience)))

    @operation
    def revoke_key(self, key: str | Key) -> Flow[Key]:
        """Let it open nothing any more, from its next request on. Raises Conflict for the last admin's."""
        return Key.of((yield from data_of(Request("DELETE", _path(key)), self._patience, repeatable=False)))


def _path(key: str | Key) -> str:
    return f"/keys/{key.id if isinstance(key, Key) else part_of(key)}"
