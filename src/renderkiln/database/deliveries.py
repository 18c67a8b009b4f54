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

from renderkiln.database.cursor import Cursor, older_than
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
    tries: Sequence[Mapping[str, Any]] = ()  # `at`, `status` and `error` of each, the latest ones

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
            "tries": list(self.tries),
        }


class Target(NamedTuple):
    """Where deliveries go: one of the two."""

    webhook_id: str | None = None
    handler: str | None = None


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
        query = query.where(older_than(before, deliveries))
    return _stored(connection, query)


def targets(
    connection: sa.Connection,
    now: datetime,
    *,
    handlers: Collection[str],
    full: Collection[str] = (),
    limit: int,
) -> list[Target]:
    """Up to `limit` for which something is due, the longest waiting first: webhooks but for those that are
    `full`, and these handlers.

    A question that blocks nobody, asked several times a second. It goes from target to target, by an index:
    how much waits for each costs nothing.
    """
    wanted = {"now": now, "handlers": list(handlers), "full": list(full), "limit": limit}
    return [Target(row.webhook_id, row.handler) for row in connection.execute(_TARGETS, wanted)]


def claim(
    connection: sa.Connection,
    now: datetime,
    owner: str,
    to: Sequence[Target],
    *,
    limit: int,
    share: int,
    over_all: int | None = None,
    busy: Mapping[str, int] | None = None,
) -> list[StoredDelivery]:
    """Up to `limit` that are due to these targets, for `owner` alone, the longest waiting first.

    No webhook gets more than `share` of them, those that `busy` counts by webhook among them: one that is
    slow to answer keeps the others waiting for nothing. `over_all`: how many may be claimed by all together.
    """
    if connection.dialect.name != "sqlite":  # there, a write transaction is alone
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_CLAIMING)))
    if over_all is not None:
        limit = min(limit, over_all - _active(connection))
    if limit <= 0 or not to:
        return []
    chosen = _choose(connection, now, to, limit, share, busy or {})
    if not chosen:
        return []
    found = [_of(row) for row in connection.execute(_CLAIM, {"chosen": chosen, "owner": owner})]
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
    tries: Sequence[Mapping[str, Any]] = (),
) -> bool:
    """What came of a try, and of all `tries`; False, with nothing changed, where it is not the owner's."""
    mine = (deliveries.c.id == id, deliveries.c.claimed_by == owner, _PENDING)
    values: dict[str, Any] = {
        "state": state,
        "attempts": deliveries.c.attempts + 1,
        "claimed_by": None,
        "status": status,
        "error": error,
        "response": response,
        "tried_at": now,
        "tries": list(tries),
        "ended_at": None if state == "pending" else now,
    }
    if next_at is not None:
        values["next_at"] = next_at
    return connection.execute(sa.update(deliveries).where(*mine).values(**values)).rowcount == 1


def give_back(connection: sa.Connection, owner: str, besides: Collection[str] = ()) -> int:
    """Let others have what `owner` claimed and is not at, which are these; how many there were."""
    mine = sa.update(deliveries).where(deliveries.c.claimed_by == owner, deliveries.c.id.not_in(besides))
    return connection.execute(mine.values(claimed_by=None)).rowcount


def send_again(connection: sa.Connection, id: str, now: datetime) -> bool:
    """Deliver it once more, with all its tries before it; False where somebody is at it right now."""
    free = (deliveries.c.id == id, _FREE)
    again = sa.update(deliveries).where(*free)
    values = {"state": "pending", "attempts": 0, "next_at": now, "claimed_by": None, "ended_at": None}
    return connection.execute(again.values(**values)).rowcount == 1


def handle_again_if_failed(connection: sa.Connection, id: str, now: datetime) -> bool:
    """Give an event to its handler once more; False for one that has not failed, and for webhooks."""
    failed = (deliveries.c.id == id, deliveries.c.handler.is_not(None), deliveries.c.state == "failed")
    values = {"state": "pending", "attempts": 0, "next_at": now, "ended_at": None}
    return connection.execute(sa.update(deliveries).where(*failed).values(**values)).rowcount == 1


def standing(connection: sa.Connection, now: datetime) -> Standing:
    """How they stand, all together."""
    grouped = sa.select(deliveries.c.state, sa.func.count()).group_by(deliveries.c.state)
    counts: Counter[str] = Counter({row[0]: row[1] for row in connection.execute(grouped)})
    active = _active(connection)
    since = sa.func.min(deliveries.c.next_at, type_=deliveries.c.next_at.type)
    oldest = connection.scalar(sa.select(since).where(*_DUE), {"now": now})
    return Standing(max(0, counts["pending"] - active), active, counts["delivered"], counts["failed"], oldest)


def due(connection: sa.Connection, now: datetime) -> int:
    """How many wait that could begin now."""
    query = sa.select(sa.func.count()).select_from(deliveries).where(*_DUE)
    return connection.scalar(query, {"now": now}) or 0


_ALIVE = sa.exists().where(workers.c.id == deliveries.c.claimed_by)
_OPEN = sa.exists().where(webhooks.c.id == deliveries.c.webhook_id, webhooks.c.enabled)
_PENDING = deliveries.c.state == "pending"
_FREE = sa.or_(deliveries.c.claimed_by.is_(None), ~_ALIVE)
_OPEN_IF_ANY = sa.or_(deliveries.c.webhook_id.is_(None), _OPEN)
# It could begin, if its target takes anything.
_WAITS = (_PENDING, deliveries.c.next_at <= sa.bindparam("now"), _FREE)
_DUE = (*_WAITS, _OPEN_IF_ANY)


def _lane(column: sa.Column[str]) -> sa.CTE:
    """The distinct values of `column` among what is pending: from one to the next, each a look at an index.

    The last row is NULL.
    """
    pending = sa.select(column).where(_PENDING).order_by(column).limit(1)
    first = sa.select(pending.where(column.is_not(None)).scalar_subquery().label("id"))
    lane = first.cte(f"{column.name}_lane", recursive=True)
    following = pending.where(column > lane.c.id).correlate(lane).scalar_subquery()
    return lane.union_all(sa.select(following).where(lane.c.id.is_not(None)))


def _since(lane: sa.CTE, column: sa.Column[str]) -> sa.Label[datetime]:
    """Since when something waits for the target of this lane; NULL where nothing does."""
    first = sa.select(deliveries.c.next_at).where(column == lane.c.id, *_WAITS).correlate(lane)
    return first.order_by(deliveries.c.next_at, deliveries.c.id).limit(1).scalar_subquery().label("since")


def _ready() -> sa.Select[tuple[str | None, str | None]]:
    hooks, ours = _lane(deliveries.c.webhook_id), _lane(deliveries.c.handler)
    no_hook, no_handler = sa.null().label("webhook_id"), sa.null().label("handler")
    of_hooks = (
        sa.select(hooks.c.id.label("webhook_id"), no_handler, _since(hooks, deliveries.c.webhook_id))
        .join(webhooks, webhooks.c.id == hooks.c.id)
        .where(webhooks.c.enabled, hooks.c.id.not_in(sa.bindparam("full", expanding=True)))
    )
    of_ours = sa.select(no_hook, ours.c.id.label("handler"), _since(ours, deliveries.c.handler)).where(
        ours.c.id.in_(sa.bindparam("handlers", expanding=True))
    )
    either = sa.union_all(of_hooks, of_ours).subquery()
    waiting = sa.select(either.c.webhook_id, either.c.handler).where(either.c.since.is_not(None))
    return waiting.order_by(either.c.since).limit(sa.bindparam("limit", type_=sa.Integer))


def _first(column: sa.Column[str]) -> sa.Select[tuple[datetime, str]]:
    due = sa.select(deliveries.c.next_at, deliveries.c.id).where(column == sa.bindparam("target"), *_DUE)
    ordered = due.order_by(deliveries.c.next_at, deliveries.c.id)
    return ordered.limit(sa.bindparam("limit", type_=sa.Integer))


# Built once: on SQLite, whoever builds a statement within a write lets everybody wait.
_TARGETS = _ready()
_FIRST_OF_HOOK, _FIRST_OF_HANDLER = _first(deliveries.c.webhook_id), _first(deliveries.c.handler)
_CLAIM = (
    sa.update(deliveries)
    .where(
        deliveries.c.id.in_(sa.bindparam("chosen", expanding=True)),
        # Said so that nobody looks for them by their state, among all that wait.
        deliveries.c.state.not_in(("delivered", "failed")),
        _FREE,
        _OPEN_IF_ANY,
    )
    .values(claimed_by=sa.bindparam("owner"))
    .returning(*deliveries.c)
)


def _active(connection: sa.Connection) -> int:
    claimed = deliveries.c.claimed_by.is_not(None)  # by an executor; so it is pending
    return connection.scalar(sa.select(sa.func.count()).select_from(deliveries).where(claimed, _ALIVE)) or 0


def _choose(
    connection: sa.Connection,
    now: datetime,
    to: Sequence[Target],
    limit: int,
    share: int,
    busy: Mapping[str, int],
) -> list[str]:
    first: list[tuple[datetime, str]] = []
    for hook, handler in to:
        most = limit if hook is None else min(limit, max(0, share - busy.get(hook, 0)))
        query = _FIRST_OF_HANDLER if hook is None else _FIRST_OF_HOOK
        found = connection.execute(query, {"target": hook or handler, "now": now, "limit": most})
        first += [(row.next_at, row.id) for row in found]
    return [id for _, id in sorted(first)[:limit]]


def _stored(connection: sa.Connection, query: sa.Select[Any]) -> list[StoredDelivery]:
    return [_of(row) for row in connection.execute(query)]


def _of(row: sa.Row[Any]) -> StoredDelivery:
    return StoredDelivery(**{**row._mapping, "tries": tuple(row.tries or ())})
