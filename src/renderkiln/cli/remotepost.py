"""Webhooks and events of a server."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from renderkiln.cli.post import Told
from renderkiln.cli.remotedesk import plainly
from renderkiln.client import Client
from renderkiln.domain.delivery import DeliveryState


@dataclass(frozen=True)
class RemotePost:
    """Speaks to a server."""

    client: Client

    def webhooks(self) -> Sequence[Told]:
        return [each.raw for each in self.client.webhooks()]

    def webhook(self, id: str) -> Told:
        return self.client.webhook(id).raw

    def add(self, url: str, types: Sequence[str], label: str) -> Told:
        with plainly():
            return self.client.add_webhook(url, types=types, label=label).raw

    def enable(self, id: str, *, enabled: bool) -> None:
        self.client.change_webhook(id, enabled=enabled)

    def remove(self, id: str) -> None:
        self.client.delete_webhook(id)

    def rotate(self, id: str) -> Told:
        return self.client.rotate_webhook_secret(id).raw

    def test(self, id: str) -> Told:
        return self.client.test_webhook(id).raw

    def deliveries(self, id: str, states: Collection[DeliveryState], limit: int) -> Sequence[Told]:
        return [each.raw for each in islice(self.client.deliveries(id, states=states), limit)]

    def replay(self, id: str, delivery: str) -> Told:
        return self.client.replay(id, delivery).raw

    def emit(self, type: str, payload: Mapping[str, Any]) -> Told:
        with plainly():
            told = self.client.emit(type, payload).raw
        return {key: value for key, value in told.items() if key != "warnings"}

    def handled(self, states: Collection[DeliveryState], type: str | None, limit: int) -> Sequence[Told]:
        with plainly():
            return [each.raw for each in islice(self.client.handled_events(states=states, type=type), limit)]

    def retry(self, id: str) -> Told:
        return self.client.retry_event(id).raw
