"""Assets: files that were uploaded, for jobs to use. Their bytes are in the storage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from renderkiln.database.columns import Text
from renderkiln.database.cursor import Cursor, older_than
from renderkiln.database.insert import insert_into
from renderkiln.database.schema import assets, jobs
from renderkiln.domain.states import ENDED, STATES

_OPEN = sorted(set(STATES) - ENDED)
_AT_ONCE = 500  # parameters of one statement


@dataclass(frozen=True)
class StoredAsset:
    """A file of an account. `kind` and `facts` are what was seen when it came; `size` is in bytes."""

    id: str
    account: str
    name: str
    size: int
    sha256: str
    kind: str  # video, audio, image, font, captions
    content_type: str
    storage_key: str
    created_at: datetime  # aware
    facts: Mapping[str, Any] = field(default_factory=dict)


def insert(connection: sa.Connection, asset: StoredAsset) -> StoredAsset:
    """Store it; or find the one of the same account, name and content, which is there already."""
    row = insert_into(connection.dialect.name, assets).values(**{**asdict(asset), "facts": dict(asset.facts)})
    connection.execute(row.on_conflict_do_nothing())
    same = (assets.c.account, assets.c.sha256, assets.c.name)
    known = sa.select(assets).where(*(column == getattr(asset, column.name) for column in same))
    return _stored(connection, known)[0]


def find(connection: sa.Connection, id: str) -> StoredAsset | None:
    """The asset, if there is one."""
    return next(iter(_stored(connection, sa.select(assets).where(assets.c.id == id))), None)


def find_all(connection: sa.Connection, ids: Sequence[str], account: str | None) -> dict[str, StoredAsset]:
    """Those of these that the account has; None: that anybody has."""
    found: dict[str, StoredAsset] = {}
    for start in range(0, len(ids), _AT_ONCE):
        query = sa.select(assets).where(assets.c.id.in_(ids[start : start + _AT_ONCE]))
        if account is not None:
            query = query.where(assets.c.account == account)
        found |= {each.id: each for each in _stored(connection, query)}
    return found


def page(
    connection: sa.Connection, *, account: str | None, before: Cursor | None = None, limit: int = 100
) -> list[StoredAsset]:
    """The newest first, those older than `before`; of all accounts if none is named."""
    query = sa.select(assets).order_by(assets.c.created_at.desc(), assets.c.id.desc()).limit(limit)
    if account is not None:
        query = query.where(assets.c.account == account)
    if before is not None:
        query = query.where(older_than(before, assets))
    return _stored(connection, query)


def is_needed(connection: sa.Connection, id: str) -> bool:
    """Whether a job that has not ended names it."""
    named = [sa.cast(column, Text).contains(id) for column in (jobs.c.inputs, jobs.c.params)]
    query = sa.select(jobs.c.id).where(jobs.c.state.in_(_OPEN), sa.or_(*named)).limit(1)
    return connection.execute(query).first() is not None


def delete(connection: sa.Connection, id: str) -> bool:
    """Forget it; False where there is none."""
    return connection.execute(sa.delete(assets).where(assets.c.id == id)).rowcount == 1


def _stored(connection: sa.Connection, query: sa.Select[Any]) -> list[StoredAsset]:
    return [StoredAsset(**row._mapping) for row in connection.execute(query)]
