"""Webhooks as people keep them: made, changed, tried, and asked what became of what they were sent."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from renderkiln.database import deliveries, webhooks
from renderkiln.database.cursor import Cursor
from renderkiln.database.deliveries import NewDelivery, StoredDelivery
from renderkiln.database.engine import Database
from renderkiln.database.webhooks import ANY, NewWebhook, StoredWebhook
from renderkiln.domain.access import LOCAL
from renderkiln.domain.clock import Clock
from renderkiln.domain.delivery import DeliveryState
from renderkiln.domain.errors import UsageError, UserError
from renderkiln.domain.event import OURS, PUBLIC, RESERVED
from renderkiln.domain.printable import is_printable
from renderkiln.domain.report import iso
from renderkiln.events.signing import check_secret, new_secret
from renderkiln.media.addresses import parse, refuse_private
from renderkiln.media.errors import MediaError

ENDS = ("job.completed", "job.failed", "job.cancelled", "batch.completed")
TEST = "webhook.test"
_OVERLAP = timedelta(days=1)  # for so long an old secret signs, too
_MOST = 100  # webhooks that are told of everything
_MOST_TYPES = 50
_LONGEST = 200  # characters of a label
_KNOWN = f"webhooks are told of: {', '.join(sorted(PUBLIC))}"
_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")


def subscribe(
    connection: sa.Connection,
    url: str,
    now: datetime,
    *,
    types: Sequence[str] = ENDS,
    secret: str | None = None,
    label: str = "",
    account: str = LOCAL,
    job_id: str | None = None,
    batch_id: str | None = None,
    allow_private: bool = False,
) -> StoredWebhook:
    """Let `url` be told of events, in the transaction of `connection`; the webhook with its secret.

    With a job or a batch, which must be there already, it is told of that one alone (a batch and its jobs).
    Raises UsageError for a URL, types or a secret that cannot be.
    """
    new = NewWebhook(
        id=f"whk_{secrets.token_hex(10)}",
        url=checked_url(url, allow_private=allow_private),
        types=checked_types(types),
        secret=new_secret() if secret is None else check_secret(secret),
        created_at=now,
        label=_label(label),
        account=account,
        job_id=job_id,
        batch_id=batch_id,
    )
    webhooks.insert(connection, new)
    return StoredWebhook(**vars(new))


def checked_url(url: str, *, allow_private: bool = False) -> str:
    """Raises UsageError for what is no http or https URL, or is plainly one of a private network.

    What a name stands for is looked at when something is sent there.
    """
    try:
        parsed = parse(url)
        if not allow_private:
            refuse_private(parsed)
    except MediaError as error:
        raise UsageError(f"the webhook's URL: {error}") from None
    return str(parsed)


def checked_types(types: Sequence[str]) -> tuple[str, ...]:
    """Raises UsageError for what no event is called, and for steps on the way that webhooks are not told."""
    distinct = tuple(dict.fromkeys(types))
    if not 1 <= len(distinct) <= _MOST_TYPES:
        raise UsageError(f"a webhook is told of 1 to {_MOST_TYPES} types of events; '*' is all of them")
    for each in distinct:
        if each != ANY and (len(each) > 100 or _TYPE.fullmatch(each) is None):
            raise UsageError(f"no event is called {each[:100]!r}")
        if each in OURS and each not in PUBLIC:
            raise UsageError(f"{each} is told in the stream only; {_KNOWN}")
        if each not in OURS and each.partition(".")[0] in RESERVED:
            raise UsageError(f"there is no event {each}, nor will there be; {_KNOWN}")
    return distinct


@dataclass(frozen=True)
class Subscriptions:
    """The webhooks in a database. Every verb raises UserError for one there is not."""

    database: Database
    clock: Clock
    allow_private: bool = False

    def create(
        self,
        url: str,
        *,
        types: Sequence[str] = ENDS,
        label: str = "",
        secret: str | None = None,
        account: str = LOCAL,
    ) -> StoredWebhook:
        """One that is told of everything; with its secret, which is shown this once. Raises UsageError."""
        with self.database.write() as connection:
            if len(webhooks.everyone(connection, limit=_MOST)) >= _MOST:
                raise UserError(f"there are {_MOST} webhooks already: remove one")
            return subscribe(
                connection,
                url,
                self.clock.now(),
                types=types,
                secret=secret,
                label=label,
                account=account,
                allow_private=self.allow_private,
            )

    def list(
        self,
        *,
        job_id: str | None = None,
        batch_id: str | None = None,
        before: Cursor | None = None,
        limit: int = 1000,
    ) -> Sequence[StoredWebhook]:
        """Those that are told of everything, or those of a job or a batch; the newest first."""
        of = {"job_id": job_id, "batch_id": batch_id}
        with self.database.read() as connection:
            return webhooks.everyone(connection, **of, before=before, limit=limit)

    def get(self, id: str) -> StoredWebhook:
        with self.database.read() as connection:
            return _found(connection, id)

    def change(
        self,
        id: str,
        *,
        url: str | None = None,
        types: Sequence[str] | None = None,
        label: str | None = None,
        enabled: bool | None = None,
    ) -> StoredWebhook:
        """What is given; enabled again, it is sent what waits for it."""
        values: dict[str, Any] = {}
        if url is not None:
            values["url"] = checked_url(url, allow_private=self.allow_private)
        if types is not None:
            values["types"] = list(checked_types(types))
        if label is not None:
            values["label"] = _label(label)
        if enabled is not None:
            reason = "" if enabled else "a person disabled it"
            values |= {"enabled": enabled, "reason": reason, "failing_since": None}
        with self.database.write() as connection:
            _found(connection, id)
            if values:
                webhooks.change(connection, id, **values)
            return _found(connection, id)

    def remove(self, id: str) -> None:
        """Forget it, its log, and what waits for it."""
        with self.database.write() as connection:
            if not webhooks.remove(connection, id):
                raise missing(id)

    def rotate(self, id: str) -> StoredWebhook:
        """A new secret, shown this once; the old one signs as well for a day."""
        now = self.clock.now()
        with self.database.write() as connection:
            found = _found(connection, id)
            new = {"secret": new_secret(), "old_secret": found.secret, "old_secret_until": now + _OVERLAP}
            webhooks.change(connection, id, **new)
            return _found(connection, id)

    def test(self, id: str) -> StoredDelivery:
        """Send it a `webhook.test`; the delivery, which a worker brings."""
        now = self.clock.now()
        with self.database.write() as connection:
            found = _found(connection, id)
            if not found.enabled:
                raise UserError(f"webhook {id} is disabled ({found.reason}): enable it first")
            payload = {"type": TEST, "timestamp": iso(now), "data": {"webhook": id, "label": found.label}}
            (made,) = deliveries.insert(connection, [NewDelivery(TEST, payload, now, webhook_id=id)])
            return _delivery(connection, id, made)

    def deliveries(
        self,
        id: str,
        *,
        states: Collection[DeliveryState] = (),
        before: Cursor | None = None,
        limit: int = 100,
    ) -> Sequence[StoredDelivery]:
        """What was and is to be sent to it, the newest first."""
        with self.database.read() as connection:
            _found(connection, id)
            return deliveries.page(connection, webhook_id=id, states=states, before=before, limit=limit)

    def delivery(self, id: str, delivery_id: str) -> StoredDelivery | None:
        """One of its deliveries, if there is one."""
        with self.database.read() as connection:
            found = deliveries.find(connection, delivery_id)
        return found if found is not None and found.webhook_id == id else None

    def replay(self, id: str, delivery_id: str) -> StoredDelivery:
        """Send something again, now, under the same message id, with all tries before it."""
        with self.database.write() as connection:
            found = _found(connection, id)
            _delivery(connection, id, delivery_id)
            if not found.enabled:
                raise UserError(f"webhook {id} is disabled ({found.reason}): enable it first")
            if not deliveries.send_again(connection, delivery_id, self.clock.now()):
                raise UserError(f"delivery {delivery_id} is being sent right now")
            return _delivery(connection, id, delivery_id)

    def handled(
        self,
        *,
        states: Collection[DeliveryState] = (),
        type: str | None = None,
        before: Cursor | None = None,
        limit: int = 100,
    ) -> Sequence[StoredDelivery]:
        """Events that handlers were or are to be given, the newest first."""
        with self.database.read() as connection:
            return deliveries.page(connection, states=states, type=type, before=before, limit=limit)

    def event(self, id: str) -> StoredDelivery | None:
        """An event on its way to a handler, if there is one with this id."""
        with self.database.read() as connection:
            found = deliveries.find(connection, id)
        return found if found is not None and found.handler is not None else None

    def handle_again(self, id: str) -> StoredDelivery:
        """Give a failed event to its handler again: five tries more, under the same id.

        One that waits already is left as it is. Raises UserError for one that was handled, or that there is
        not.
        """
        with self.database.write() as connection:
            deliveries.handle_again_if_failed(connection, id, self.clock.now())
            found = deliveries.find(connection, id)
        if found is None or found.handler is None:
            raise UserError(f"there is no handled event {id!r}")
        if found.state == "delivered":
            raise UserError(f"event {id} was handled: only failed ones are handled again")
        return found


def missing(id: str) -> UserError:
    return UserError(f"there is no webhook {id!r}")


def _found(connection: sa.Connection, id: str) -> StoredWebhook:
    found = webhooks.find(connection, id)
    if found is None:
        raise missing(id)
    return found


def _delivery(connection: sa.Connection, webhook_id: str, id: str) -> StoredDelivery:
    found = deliveries.find(connection, id)
    if found is None or found.webhook_id != webhook_id:
        raise UserError(f"webhook {webhook_id} has no delivery {id!r}")
    return found


def _label(text: str) -> str:
    if len(text) > _LONGEST or not is_printable(text):
        raise UsageError(f"the label of a webhook has {_LONGEST} printable characters at most")
    return text.strip()
