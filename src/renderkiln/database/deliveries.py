"""Events on their way to webhooks and handlers: an outbox, and the log of what became of them.

Who is to deliver one claims it. A claim lasts as long as its executor is on the list of workers: one that is
dead is struck off by the others, and what it was at is delivered again, under the same id.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from renderkiln.database.insert import insert_many
from renderkiln.database.schema import deliveries, webhooks, workers
from renderkiln.domain.delivery import DeliveryState
from renderkiln.domain.report import iso

_CLAIMING = 0x6B696C6F  # the number of a lock: any, as long as it is ours


@dataclass(frozen=True)
class NewDelivery:
    """An event for one webhook or one handler. `payload` is all of what is sent."""

    type: str
    payload: Mapping[str, Any]
    created_at: datetime  # aware
    seq: int | None = None
    webhook_id: str | None = None
    handler: str | None = None


@dataclass(frozen=True)
class StoredDelivery(NewDelivery):
    """A delivery as it stands. `attempts` have ended; `status`, `error` and `response` are of the last."""

    id: str = ""
    state: DeliveryState = "pending"
    attempts: int = 0
    next_at: datetime | None = None
    claimed_by: str | None = None
    status: int | None = None
    error: str = ""
    response: str = ""
    tried_at: datetime | None = None
    ended_at: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """How it stands; without what is sent."""
        return {
            "id": self.id,
            "type": self.type,
            "eventId": self.seq,
            "state": self.state,
            "attempts": self.attempts,
            "error": self.error,
            "createdAt": iso(self.created_at),
            "triedAt": self.tried_at and iso(self.tried_at),
            "endedAt": self.ended_at and iso(self.ended_at),
            "nextAt": iso(self.next_at) if self.next_at and self.state == "pending" else None,
        }


class Cursor(NamedTuple):
    """Where a page ends: what comes after it is older."""

    created_at: datetime
    id: str


class Standing(NamedTuple):
    """How many deliveries are where, and since when the oldest one waits that could begin now."""

    waiting: int
    active: int
    delivered: int
    failed: int
    oldest: datetime | None


def insert(connection: sa.Connection, new: Sequence[NewDelivery]) -> list[str]:
    """Store them, to be delivered as soon as this transaction ends; their ids."""
    ids = [f"msg_{secrets.token_hex(12)}" for _ in new]

    def row(numbered: tuple[str, NewDelivery]) -> dict[str, Any]:
        id, each = numbered
        return {
            "id": id,
            "webhook_id": each.webhook_id,
            "handler": each.handler,
            "seq": each.seq,
            "type": each.type,
            "payload": dict(each.payload),
            "state": "pending",
            "attempts": 0,
            "next_at": each.created_at,
            "error": "",
            "response": "",
            "created_at": each.created_at,
        }

    insert_many(connection, sa.insert(deliveries), list(zip(ids, new, strict=True)), row)
    return ids


def find(connection: sa.Connection, id: str) -> StoredDelivery | None:
    """The delivery, if there is one."""
    return next(iter(_stored(connection, sa.select(deliveries).where(deliveries.c.id == id))), None)


def page(
    connection: sa.Connection,
    *,
    webhook_id: str | None = None,
    states: Collection[DeliveryState] = (),
    type: str | None = None,
    before: Cursor | None = None,
    limit: int = 100,
) -> list[StoredDelivery]:
    """Those to a webhook, or all those to handlers; the newest first, those older than `before`."""
    place = (deliveries.c.created_at.desc(), deliveries.c.id.desc())
    query = sa.select(deliveries).order_by(*place).limit(limit)
    if webhook_id is None:
        query = query.where(deliveries.c.handler.is_not(None))
    else:
        query = query.where(deliveries.c.webhook_id == webhook_id)
    if states:
        query = query.where(deliveries.c.state.in_(states))
    if type is not None:
        query = query.where(deliveries.c.type == type)
    if before is not None:
        query = query.where(
            (deliveries.c.created_at < before.created_at)
            | ((deliveries.c.created_at == before.created_at) & (deliveries.c.id < before.id))
        )
    return _stored(connection, query)


def is_any_due(connection: sa.Connection, now: datetime) -> bool:
    """Whether there is something to claim. A question that blocks nobody, asked several times a second."""
    return connection.execute(sa.select(deliveries.c.id).where(*_due(now)).limit(1)).first() is not None


def claim(
    connection: sa.Connection,
    now: datetime,
    owner: str,
    *,
    limit: int,
    share: int,
    over_all: int | None = None,
    busy: Mapping[str, int] | None = None,
) -> list[StoredDelivery]:
    """Up to `limit` that are due, for `owner` alone, the longest waiting first.

    No webhook gets more than `share` of them, those that `busy` counts by webhook among them: one that is
    slow to answer keeps the others waiting for nothing. `over_all`: how many may be claimed by all together.
    """
    if connection.dialect.name != "sqlite":  # there, a write transaction is alone
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_CLAIMING)))
    if over_all is not None:
        limit = min(limit, over_all - _active(connection))
    if limit <= 0:
        return []
    chosen = _choose(connection, now, limit, share, busy or {})
    if not chosen:
        return []
    claimed = sa.update(deliveries).where(deliveries.c.id.in_(chosen), *_due(now)).values(claimed_by=owner)
    found = [_of(row) for row in connection.execute(claimed.returning(*deliveries.c))]
    return sorted(found, key=lambda each: (each.next_at or now, each.id))


def end_if_claimed(
    connection: sa.Connection,
    id: str,
    owner: str,
    now: datetime,
    *,
    state: DeliveryState,
    next_at: datetime | None = None,
    status: int | None = None,
    error: str = "",
    response: str = "",
) -> bool:
    """What came of a try; False, with nothing changed, where somebody else is at it or it is gone."""
    mine = (deliveries.c.id == id, deliveries.c.claimed_by == owner, deliveries.c.state == "pending")
    values: dict[str, Any] = {
        "state": state,
        "attempts": deliveries.c.attempts + 1,
        "claimed_by": None,
        "status": status,
        "error": error,
        "response": response,
        "tried_at": now,
        "ended_at": None if state == "pending" else now,
    }
    if next_at is not None:
        values["next_at"] = next_at
    return connection.execute(sa.update(deliveries).where(*mine).values(**values)).rowcount == 1


def give_back(connection: sa.Connection, owner: str, besides: Collection[str] = ()) -> int:
    """Let others have what `owner` claimed and is not at, which are these; how many there were."""
    mine = sa.update(deliveries).where(
        deliveries.c.claimed_by == owner, deliveries.c.state == "pending", deliveries.c.id.not_in(besides)
    )
    return connection.execute(mine.values(claimed_by=None)).rowcount


def send_again(connection: sa.Connection, id: str, now: datetime) -> bool:
    """Deliver it once more, with all its tries before it; False where somebody is at it right now."""
    free = (deliveries.c.id == id, sa.or_(deliveries.c.claimed_by.is_(None), ~_ALIVE))
    again = sa.update(deliveries).where(*free)
    values = {"state": "pending", "attempts": 0, "next_at": now, "claimed_by": None, "ended_at": None}
    return connection.execute(again.values(**values)).rowcount == 1


def standing(connection: sa.Connection, now: datetime) -> Standing:
    """How they stand, all together."""
    grouped = sa.select(deliveries.c.state, sa.func.count()).group_by(deliveries.c.state)
    counts: Counter[str] = Counter({row[0]: row[1] for row in connection.execute(grouped)})
    active = _active(connection)
    since = sa.func.min(deliveries.c.next_at, type_=deliveries.c.next_at.type)
    oldest = connection.scalar(sa.select(since).where(*_due(now)))
    return Standing(max(0, counts["pending"] - active), active, counts["delivered"], counts["failed"], oldest)


def due(connection: sa.Connection, now: datetime) -> int:
    """How many wait that could begin now."""
    return connection.scalar(sa.select(sa.func.count()).select_from(deliveries).where(*_due(now))) or 0


_ALIVE = sa.exists().where(workers.c.id == deliveries.c.claimed_by)
_OPEN = sa.exists().where(webhooks.c.id == deliveries.c.webhook_id, webhooks.c.enabled)


def _due(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        deliveries.c.state == "pending",
        deliveries.c.next_at <= now,
        sa.or_(deliveries.c.claimed_by.is_(None), ~_ALIVE),
        sa.or_(deliveries.c.webhook_id.is_(None), _OPEN),
    )


def _active(connection: sa.Connection) -> int:
    mine = (deliveries.c.state == "pending", deliveries.c.claimed_by.is_not(None), _ALIVE)
    return connection.scalar(sa.select(sa.func.count()).select_from(deliveries).where(*mine)) or 0


def _choose(
    connection: sa.Connection, now: datetime, limit: int, share: int, busy: Mapping[str, int]
) -> list[str]:
    place = sa.func.row_number().over(
        partition_by=deliveries.c.webhook_id, order_by=(deliveries.c.next_at, deliveries.c.id)
    )
    due = sa.select(deliveries.c.id, deliveries.c.webhook_id, deliveries.c.next_at, place.label("place"))
    ranked = due.where(*_due(now)).subquery()
    fair = sa.or_(ranked.c.webhook_id.is_(None), ranked.c.place <= share)
    # Webhooks that have their share already are passed over, and stand in nobody's way.
    full = [webhook for webhook, number in busy.items() if number >= share]
    open_ = sa.or_(ranked.c.webhook_id.is_(None), ranked.c.webhook_id.not_in(full))
    query = sa.select(ranked).where(fair, open_).order_by(ranked.c.next_at, ranked.c.id).limit(limit)
    taken = Counter(busy)
    chosen = []
    for row in connection.execute(query):
        if row.webhook_id is not None:
            if taken[row.webhook_id] >= share:
                continue
            taken[row.webhook_id] += 1
        chosen.append(row.id)
    return chosen


def _stored(connection: sa.Connection, query: sa.Select[Any]) -> list[StoredDelivery]:
    return [_of(row) for row in connection.execute(query)]


def _of(row: sa.Row[Any]) -> StoredDelivery:
    return StoredDelivery(**row._mapping)
