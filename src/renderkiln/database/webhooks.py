"""Webhooks: addresses that are told what happens."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from renderkiln.database.cursor import Cursor, older_than
from renderkiln.database.schema import webhooks
from renderkiln.domain.access import LOCAL
from renderkiln.domain.report import iso

ANY = "*"  # among the types: it is told of all


@dataclass(frozen=True)
class NewWebhook:
    """A webhook to be stored. With a job or a batch, it is told of that one alone."""

    id: str
    url: str
    types: tuple[str, ...]
    secret: str
    created_at: datetime  # aware
    label: str = ""
    account: str = LOCAL
    job_id: str | None = None
    batch_id: str | None = None


@dataclass(frozen=True)
class StoredWebhook(NewWebhook):
    """A webhook as it stands. It fails since `failing_since`; `reason` is why it is not `enabled`."""

    enabled: bool = True
    reason: str = ""
    failing_since: datetime | None = None
    old_secret: str | None = None
    old_secret_until: datetime | None = None

    def secrets(self, now: datetime) -> list[str]:
        """Those that sign what is sent now, the newest first."""
        is_valid = self.old_secret_until is not None and now < self.old_secret_until
        return [self.secret, *([self.old_secret] if self.old_secret and is_valid else [])]

    def to_json(self) -> dict[str, Any]:
        """What anybody may see of it who may see webhooks: not its secret."""
        return {
            "id": self.id,
            "url": self.url,
            "types": list(self.types),
            "label": self.label,
            "enabled": self.enabled,
            "reason": self.reason,
            "failingSince": self.failing_since and iso(self.failing_since),
            "jobId": self.job_id,
            "batchId": self.batch_id,
            "createdAt": iso(self.created_at),
        }

    def wants(self, type: str) -> bool:
        return ANY in self.types or type in self.types


_GENERAL = sa.and_(webhooks.c.job_id.is_(None), webhooks.c.batch_id.is_(None))
_LISTENING = sa.select(webhooks).where(
    webhooks.c.enabled,
    sa.or_(
        _GENERAL,
        webhooks.c.job_id == sa.bindparam("job"),
        webhooks.c.batch_id == sa.bindparam("batch"),
    ),
)


def insert(connection: sa.Connection, new: NewWebhook) -> None:
    """Store a webhook. Its job or batch must be there already."""
    values = {**asdict(new), "types": list(new.types), "enabled": True, "reason": ""}
    connection.execute(sa.insert(webhooks).values(**values))


def find(connection: sa.Connection, id: str) -> StoredWebhook | None:
    """The webhook, if there is one."""
    return next(iter(_stored(connection, sa.select(webhooks).where(webhooks.c.id == id))), None)


def everyone(
    connection: sa.Connection,
    *,
    job_id: str | None = None,
    batch_id: str | None = None,
    before: Cursor | None = None,
    limit: int = 1000,
) -> list[StoredWebhook]:
    """Those of a job or a batch, else those that are told of everything; the newest first, after `before`."""
    query = sa.select(webhooks).order_by(webhooks.c.created_at.desc(), webhooks.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(older_than(before, webhooks))
    if job_id is not None:
        query = query.where(webhooks.c.job_id == job_id)
    if batch_id is not None:
        query = query.where(webhooks.c.batch_id == batch_id)
    return _stored(connection, query.where(_GENERAL) if job_id is None and batch_id is None else query)


def listening(
    connection: sa.Connection, type: str, job_id: str | None, batch_id: str | None
) -> list[StoredWebhook]:
    """Who is to be told of an event of this type, of this job and batch."""
    found = _stored(connection, _LISTENING, {"job": job_id, "batch": batch_id})
    return [each for each in found if each.wants(type)]


def change(connection: sa.Connection, id: str, **values: Any) -> bool:
    """Change columns of it; False where it is gone."""
    return connection.execute(sa.update(webhooks).where(webhooks.c.id == id).values(**values)).rowcount == 1


def remove(connection: sa.Connection, id: str) -> bool:
    """Forget it with all that was or is to be sent to it; False where it was gone."""
    return connection.execute(sa.delete(webhooks).where(webhooks.c.id == id)).rowcount == 1


def note_success(connection: sa.Connection, id: str) -> None:
    """It took something: it fails no more."""
    failing = sa.update(webhooks).where(webhooks.c.id == id, webhooks.c.failing_since.is_not(None))
    connection.execute(failing.values(failing_since=None))


def note_failure(connection: sa.Connection, id: str, now: datetime) -> None:
    """It did not take something: it fails since now, unless it did before."""
    well = sa.update(webhooks).where(webhooks.c.id == id, webhooks.c.failing_since.is_(None))
    connection.execute(well.values(failing_since=now))


def disable_if_failing_for(
    connection: sa.Connection, id: str, now: datetime, longest: timedelta, reason: str
) -> bool:
    """Send it nothing more if nothing else than failures came of it for so long; False where it is not so."""
    failing = (webhooks.c.enabled, webhooks.c.failing_since <= now - longest)
    disabled = sa.update(webhooks).where(webhooks.c.id == id, *failing).values(enabled=False, reason=reason)
    return connection.execute(disabled).rowcount == 1


def disable(connection: sa.Connection, id: str, reason: str) -> bool:
    """Send it nothing more; False where that was so already."""
    working = sa.update(webhooks).where(webhooks.c.id == id, webhooks.c.enabled)
    return connection.execute(working.values(enabled=False, reason=reason)).rowcount == 1


def _stored(
    connection: sa.Connection, query: sa.Select[Any], values: dict[str, Any] | None = None
) -> list[StoredWebhook]:
    return [
        StoredWebhook(**{**row._mapping, "types": tuple(row.types)})
        for row in connection.execute(query, values or {})
    ]
