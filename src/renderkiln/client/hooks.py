"""Who is told of what happens: webhooks, handlers, and events of somebody's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from renderkiln.client.asking import data_of
from renderkiln.client.calls import Calls, given, part_of
from renderkiln.client.effects import Flow, Request
from renderkiln.client.method import listing, operation
from renderkiln.client.records import Delivery, Emitted, Webhook
from renderkiln.domain.delivery import DeliveryState


class Hooks(Calls):
    """All of it takes an admin's key, but `emit`. Webhooks and deliveries are named as jobs are."""

    @listing(Webhook)
    def webhooks(self) -> Flow[None]:
        """Those that are told of everything, the newest first, fetched as they are asked for."""
        yield from self._pages("/webhooks", Webhook, {})

    @operation
    def webhook(self, webhook: str | Webhook) -> Flow[Webhook]:
        """A webhook as it stands now."""
        return Webhook.of((yield from self._get(_path(webhook))))

    @operation
    def add_webhook(self, url: str, *, types: Iterable[str] = (), label: str = "") -> Flow[Webhook]:
        """Let an address be told of these types of events, by default of the ends of jobs and batches.

        The answer has its `secret`, which is shown this once.
        """
        body = {"url": url, "label": label, **given(types=[*types] or None)}
        return Webhook.of((yield from self._post("/webhooks", body, repeatable=False)))

    @operation
    def change_webhook(
        self,
        webhook: str | Webhook,
        *,
        url: str | None = None,
        types: Iterable[str] | None = None,
        label: str | None = None,
        enabled: bool | None = None,
    ) -> Flow[Webhook]:
        """Change what is given. Enabled again, it is sent what waits for it."""
        listed = None if types is None else [*types]
        body = given(url=url, types=listed, label=label, enabled=enabled)
        return Webhook.of((yield from data_of(Request("PATCH", _path(webhook), json=body), self._patience)))

    @operation
    def delete_webhook(self, webhook: str | Webhook) -> Flow[None]:
        """Forget it, its log, and what waits for it."""
        yield from data_of(Request("DELETE", _path(webhook)), self._patience, repeatable=False)

    @operation
    def rotate_webhook_secret(self, webhook: str | Webhook) -> Flow[Webhook]:
        """With a new `secret`, shown this once; messages are signed with the old one, too, for a day."""
        return Webhook.of((yield from self._post(f"{_path(webhook)}/rotate", repeatable=False)))

    @operation
    def test_webhook(self, webhook: str | Webhook) -> Flow[Delivery]:
        """Send it a `webhook.test`; a worker does. Raises Conflict where it is disabled."""
        return Delivery.of((yield from self._post(f"{_path(webhook)}/test", repeatable=False)))

    @listing(Delivery)
    def deliveries(self, webhook: str | Webhook, *, states: Iterable[DeliveryState] = ()) -> Flow[None]:
        """What was and is to be sent to it, the newest first, fetched as it is asked for."""
        yield from self._pages(f"{_path(webhook)}/deliveries", Delivery, given(state=[*states] or None))

    @operation
    def replay(self, webhook: str | Webhook, delivery: str | Delivery) -> Flow[Delivery]:
        """Send something again, now, under the same id. Raises Conflict while it is being sent."""
        path = f"{_path(webhook)}/deliveries/{_id(delivery)}/replay"
        return Delivery.of((yield from self._post(path, repeatable=False)))

    @operation
    def emit(self, type: str, payload: Mapping[str, Any] | None = None) -> Flow[Emitted]:
        """Emit an event, for its handlers, webhooks, and who watches. Raises Invalid for what is none.

        It is not sent again where it may have been written.
        """
        body = {"eventType": type, "payload": dict(payload or {})}
        return Emitted.of((yield from self._post("/events", body, repeatable=False)))

    @listing(Delivery)
    def handled_events(self, *, states: Iterable[DeliveryState] = (), type: str | None = None) -> Flow[None]:
        """Events that have a handler and what became of them, the newest first, fetched as asked for."""
        yield from self._pages("/events", Delivery, given(state=[*states] or None, type=type))

    @operation
    def retry_event(self, event: str | Delivery) -> Flow[Delivery]:
        """Give a failed event to its handler again. Raises Conflict for one that was handled."""
        return Delivery.of((yield from self._post(f"/events/{_id(event)}/retry")))


def _path(webhook: str | Webhook) -> str:
    return f"/webhooks/{webhook.id if isinstance(webhook, Webhook) else part_of(webhook)}"


def _id(delivery: str | Delivery) -> str:
    return delivery.id if isinstance(delivery, Delivery) else part_of(delivery)
