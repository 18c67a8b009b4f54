"""One try at a delivery: over HTTP to a webhook, or into a process to a handler; and what comes of it."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from renderkiln.database import deliveries, webhooks
from renderkiln.database.deliveries import StoredDelivery
from renderkiln.database.webhooks import StoredWebhook
from renderkiln.domain.delivery import DAY, HANDLER_RETRY, WEBHOOK_WAITS, ReceivedEvent
from renderkiln.domain.discretion import without
from renderkiln.domain.event import Event
from renderkiln.domain.report import iso
from renderkiln.engine import handler_child
from renderkiln.engine.stage_process import ForkServer, Message, StageProcess
from renderkiln.events import journal, signing
from renderkiln.media.errors import MediaError
from renderkiln.media.post import post
from renderkiln.storage.addresses import Addresses
from renderkiln.storage.signed import LASTS

_log = logging.getLogger(__name__)

TIMEOUT = 15.0  # seconds that a webhook has for all of an answer
HANDLING = 60.0  # seconds that a handler may take
LONGEST_FAILURE = timedelta(days=5)  # of a webhook, until it is disabled
_JITTER = 0.1  # of a wait, either way
_SHOWN = 1000  # characters of an answer that are kept
_TRIES, _SHORT = 20, 200  # tries that are remembered, characters of the error of each
_GONE = 410


@dataclass(frozen=True)
class Outcome:
    """What came of a try. Without an `error` it was delivered; `gone`: nothing is to be sent there again."""

    error: str = ""
    status: int | None = None
    response: str = ""
    retry_after: float | None = None  # seconds
    gone: bool = False


@dataclass(frozen=True)
class Errands:
    """Runs tries. `home` is what nobody out there is told; `log` is how handlers log: shape, level, name.

    `addresses` are those that webhooks are told of a job and its files.
    """

    server: ForkServer
    home: Path
    allow_private: bool
    log: tuple[str, str, str]
    addresses: Callable[[], Addresses]
    timeout: float = TIMEOUT
    handling: float = HANDLING

    def run(self, delivery: StoredDelivery, webhook: StoredWebhook | None, now: datetime) -> Outcome:
        """One try, a minute at most. It raises nothing that a stranger could cause."""
        if delivery.handler is not None:
            return self._handle(delivery)
        if webhook is None:
            return Outcome("the webhook is gone", gone=True)
        return self._post(delivery, webhook, now)

    def _post(self, delivery: StoredDelivery, webhook: StoredWebhook, now: datetime) -> Outcome:
        told = without(self._addressed(delivery, now), [str(self.home)])
        text = json.dumps(told, ensure_ascii=False, sort_keys=True)
        body = text.encode("utf-8", "replace")
        signed = signing.headers(delivery.id, int(now.timestamp()), body, webhook.secrets(now))
        headers = {"Content-Type": "application/json", **signed}
        try:
            reply = post(webhook.url, body, headers, timeout=self.timeout, allow_private=self.allow_private)
        except MediaError as error:
            return Outcome(str(error))
        taken = 200 <= reply.status < 300
        return Outcome(
            error="" if taken else f"it answered {reply.status}",
            status=reply.status,
            response=reply.text[:_SHOWN],
            retry_after=reply.retry_after,
            gone=reply.status == _GONE,
        )

    def _addressed(self, delivery: StoredDelivery, now: datetime) -> Mapping[str, Any]:
        """What is sent: a job with addresses that are good for a week from now."""
        if not delivery.type.startswith("job."):  # another type's `job` is what somebody calls so
            return delivery.payload
        data = delivery.payload["data"]
        job = self.addresses().in_job(data["job"], now + LASTS)
        return {**delivery.payload, "data": {**data, "job": job}}

    def _handle(self, delivery: StoredDelivery) -> Outcome:
        payload = delivery.payload["data"]
        event = ReceivedEvent(delivery.id, delivery.type, delivery.created_at, payload, delivery.attempts + 1)
        shape, level, worker = self.log
        said: list[Message] = []
        work = handler_child.request_of(event, shape=shape, level=level, worker=worker)
        with StageProcess(
            self.server, work, log=2, silence=self.handling, module=handler_child.__name__
        ) as process:
            ended = process.run(said.append)
        if said:
            return Outcome(said[-1]["error"] or "")
        if ended.silent:
            return Outcome(f"it took longer than {self.handling:g} s")
        return Outcome(f"its process ended with status {ended.status}")


def conclude(
    connection: sa.Connection, delivery: StoredDelivery, owner: str, outcome: Outcome, now: datetime
) -> bool:
    """Write what came of a try; False, with nothing changed, where somebody else is at it by now."""
    wait = None if outcome.gone or not outcome.error else _wait(delivery, outcome)
    told: dict[str, Any] = {"status": outcome.status, "error": outcome.error, "response": outcome.response}
    told["tries"] = [*delivery.tries, _try_of(outcome, now)][-_TRIES:]
    if not outcome.error:
        done = deliveries.end_if_claimed(connection, delivery.id, owner, now, state="delivered", **told)
    elif wait is None:
        done = deliveries.end_if_claimed(connection, delivery.id, owner, now, state="failed", **told)
    else:
        later = now + timedelta(seconds=wait)
        done = deliveries.end_if_claimed(
            connection, delivery.id, owner, now, state="pending", next_at=later, **told
        )
    if done:
        _log_outcome(delivery, outcome, wait)
        if delivery.webhook_id is not None:
            _judge(connection, delivery.webhook_id, outcome, now)
    return done


def _try_of(outcome: Outcome, now: datetime) -> Mapping[str, Any]:
    return {"at": iso(now), "status": outcome.status, "error": outcome.error[:_SHORT]}


def _wait(delivery: StoredDelivery, outcome: Outcome) -> float | None:
    """Seconds until the next try; None where there is none."""
    failed = delivery.attempts + 1
    if delivery.handler is not None:
        return HANDLER_RETRY.delay(failed)
    if failed > len(WEBHOOK_WAITS):
        return None
    jitter = 1 + _JITTER * random.uniform(-1, 1)  # noqa: S311  spreads retries, guards nothing
    return min(DAY, max(WEBHOOK_WAITS[failed - 1] * jitter, outcome.retry_after or 0.0))


def _judge(connection: sa.Connection, id: str, outcome: Outcome, now: datetime) -> None:
    """Disable a webhook that wishes it, or that has failed for days."""
    if not outcome.error:
        webhooks.note_success(connection, id)
        return
    webhooks.note_failure(connection, id, now)
    if outcome.gone:
        reason = f"it answered {_GONE}: it wants nothing more"
        disabled = webhooks.disable(connection, id, reason)
    else:
        reason = f"it has failed for {LONGEST_FAILURE.days} days without interruption"
        disabled = webhooks.disable_if_failing_for(connection, id, now, LONGEST_FAILURE, reason)
    if disabled:
        _log.warning("webhook %s is disabled: %s", id, reason)
        event = Event("webhook.disabled", None, now, 0.0, message=reason, facts={"webhook": id})
        journal.append(connection, event)


def _log_outcome(delivery: StoredDelivery, outcome: Outcome, wait: float | None) -> None:
    where = delivery.webhook_id or f"the handler {delivery.handler}"
    about: Mapping[str, Any] = {"event": delivery.type, "delivery": delivery.id}
    if not outcome.error:
        _log.info("delivered to %s", where, extra={"about": about})
        return
    then = "no more tries" if wait is None else f"again in {wait:.0f} s"
    _log.warning("not delivered to %s: %s; %s", where, outcome.error, then, extra={"about": about})
