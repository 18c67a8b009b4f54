"""Keys of the API. What is stored of one is its SHA-256: whoever reads the database holds none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from renderkiln.database.schema import keys
from renderkiln.domain.access import Scope
from renderkiln.domain.budget import Budget
from renderkiln.domain.report import iso

_BY_SHA256 = sa.select(keys).where(keys.c.sha256 == sa.bindparam("this"))  # asked at every request


@dataclass(frozen=True)
class NewKey:
    """A key to be stored. `start` is what people tell it by: the first letters of what they were shown."""

    id: str
    name: str
    scope: Scope
    start: str
    sha256: str
    created_at: datetime  # aware
    account: str  # whose jobs and assets it sees; keys of one account share them
    budget: Budget | None = None


@dataclass(frozen=True)
class StoredKey(NewKey):
    """A key as it stands. It opens nothing any more since it was revoked."""

    used_at: datetime | None = None
    revoked_at: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """What anybody may see of it who may see keys."""
        return {
            "id": self.id,
            "name": self.name,
            "scope": self.scope,
            "account": self.account,
            "budget": None if self.budget is None else self.budget.to_json(),
            "start": self.start,
            "createdAt": iso(self.created_at),
            "usedAt": iso(self.used_at),
            "revokedAt": iso(self.revoked_at),
        }


def insert(connection: sa.Connection, key: NewKey) -> None:
    """Store a key."""
    row = {field.name: getattr(key, field.name) for field in fields(NewKey)} | _row(key.budget)
    connection.execute(sa.insert(keys).values(**row))


def everyone(connection: sa.Connection) -> list[StoredKey]:
    """All keys, the newest first."""
    return _stored(connection, sa.select(keys).order_by(keys.c.created_at.desc(), keys.c.id))


def find(connection: sa.Connection, id: str) -> StoredKey | None:
    """The key, if there is one."""
    return next(iter(_stored(connection, sa.select(keys).where(keys.c.id == id))), None)


def lock_account(connection: sa.Connection, account: str) -> None:
    """Nobody else passes here for this account until this transaction ends. On SQLite nobody does anyway."""
    if connection.dialect.name != "sqlite":
        # In one order: else two who come at once could each wait for the other.
        every = sa.select(keys.c.id).where(keys.c.account == account).order_by(keys.c.id)
        connection.execute(every.with_for_update()).all()


def by_sha256(connection: sa.Connection, sha256: str) -> StoredKey | None:
    """The key that has this SHA-256, revoked or not."""
    return next(iter(_stored(connection, _BY_SHA256, {"this": sha256})), None)


def use(connection: sa.Connection, id: str, now: datetime) -> None:
    """Note that it was used."""
    connection.execute(sa.update(keys).where(keys.c.id == id).values(used_at=now))


def revoke(connection: sa.Connection, id: str, now: datetime) -> bool:
    """Let it open nothing from now on; False where it did not before."""
    valid = sa.update(keys).where(keys.c.id == id, keys.c.revoked_at.is_(None))
    return connection.execute(valid.values(revoked_at=now)).rowcount == 1


def change(
    connection: sa.Connection, id: str, *, name: str, scope: Scope, budget: Budget | None
) -> StoredKey | None:
    """Let it be called so and do so much; as it stands then, None where it opens nothing any more."""
    valid = sa.update(keys).where(keys.c.id == id, keys.c.revoked_at.is_(None))
    changed = valid.values(name=name, scope=scope, **_row(budget)).returning(*keys.c)
    row = connection.execute(changed).first()
    return None if row is None else _key(dict(row._mapping))


def lock_admins(connection: sa.Connection) -> list[str]:
    """Ids of all valid admin keys, which nobody else revokes until this transaction ends."""
    valid = sa.select(keys.c.id).where(keys.c.scope == "admin", keys.c.revoked_at.is_(None))
    return list(connection.scalars(valid.order_by(keys.c.id).with_for_update()))


def _stored(
    connection: sa.Connection, query: sa.Select[Any], values: Mapping[str, Any] | None = None
) -> list[StoredKey]:
    return [_key(dict(row._mapping)) for row in connection.execute(query, values)]


def _key(row: dict[str, Any]) -> StoredKey:
    amount, period, currency = (row.pop(name) for name in ("budget", "budget_period", "budget_currency"))
    return StoredKey(**row, budget=None if amount is None else Budget(amount, period, currency))


def _row(budget: Budget | None) -> dict[str, Any]:
    if budget is None:
        return {"budget": None, "budget_period": None, "budget_currency": None}
    return {"budget": budget.amount, "budget_period": budget.period, "budget_currency": budget.currency}
