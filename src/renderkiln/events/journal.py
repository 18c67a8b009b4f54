"""Writes what happens, with a copy for everybody who is to be told, in the transaction of what it tells of.

So an event that is told has happened, and one that has happened is told: at least once, whoever dies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from renderkiln.database import deliveries, events, webhooks
from renderkiln.database import handlers as known
from renderkiln.database.deliveries import NewDelivery
from renderkiln.domain.event import OURS, PUBLIC, Event
from renderkiln.domain.report import iso
from renderkiln.events import handlers

Data = Callable[[], Mapping[str, Any]]


def append(
    connection: sa.Connection,
    event: Event,
    *,
    batch_id: str | None = None,
    worker: str | None = None,
    account: str | None = None,
    data: Data | None = None,
) -> int:
    """Write an event; its number. Without an `account`, everybody may see it.

    `data` makes what webhooks and handlers get, by default its facts.
    """
    seq = events.append(connection, event, batch_id=batch_id, worker=worker, account=account)
    if event.name in PUBLIC or event.name not in OURS:
        about = {} if batch_id is None else {"batchId": batch_id}
        _put_out(connection, seq, event, batch_id, data or (lambda: {**about, **event.told}))
    return seq


def append_all(
    connection: sa.Connection,
    told: Sequence[Event],
    *,
    batch_id: str | None = None,
    worker: str | None = None,
    account: str | None = None,
) -> None:
    """Write several events, in their order."""
    if any(each.name in PUBLIC for each in told):
        for each in told:
            append(connection, each, batch_id=batch_id, worker=worker, account=account)
    else:
        events.append_all(connection, told, batch_id=batch_id, worker=worker, account=account)


def has_handler(connection: sa.Connection, type: str) -> bool:
    """Whether events of this type have one: here, or where a worker runs that may be elsewhere."""
    return type in handlers.installed() or known.is_known(connection, type)


def _put_out(connection: sa.Connection, seq: int, event: Event, batch_id: str | None, data: Data) -> None:
    hooks = webhooks.listening(connection, event.name, event.job_id, batch_id)
    handler = event.name if has_handler(connection, event.name) else None
    if not hooks and handler is None:
        return
    payload = {"type": event.name, "timestamp": iso(event.at), "data": dict(data())}
    new = [NewDelivery(event.name, payload, event.at, seq, webhook_id=each.id) for each in hooks]
    if handler is not None:
        new.append(NewDelivery(event.name, payload, event.at, seq, handler=handler))
    deliveries.insert(connection, new)
