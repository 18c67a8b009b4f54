"""Webhooks and events in the database of this machine."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from renderkiln.app import Renderkiln
from renderkiln.cli.post import Told
from renderkiln.database.deliveries import StoredDelivery
from renderkiln.domain.delivery import DeliveryState
from renderkiln.domain.report import iso
from renderkiln.events.subscription import ENDS, Subscriptions


@dataclass(frozen=True)
class LocalPost:
    """Goes to the database of the settings."""

    kiln: Renderkiln

    @property
    def _hooks(self) -> Subscriptions:
        return self.kiln.webhooks

    def webhooks(self) -> Sequence[Told]:
        return [each.to_json() for each in self._hooks.list()]

    def webhook(self, id: str) -> Told:
        return self._hooks.get(id).to_json()

    def add(self, url: str, types: Sequence[str], label: str) -> Told:
        made = self._hooks.create(url, types=types or ENDS, label=label)
        return {**made.to_json(), "secret": made.secret}

    def enable(self, id: str, *, enabled: bool) -> None:
        self._hooks.change(id, enabled=enabled)

    def remove(self, id: str) -> None:
        self._hooks.remove(id)

    def rotate(self, id: str) -> Told:
        rotated = self._hooks.rotate(id)
        return {**rotated.to_json(), "secret": rotated.secret}

    def test(self, id: str) -> Told:
        return _sent(self._hooks.test(id))

    def deliveries(self, id: str, states: Collection[DeliveryState], limit: int) -> Sequence[Told]:
        return [_sent(each) for each in self._hooks.deliveries(id, states=states, limit=limit)]

    def replay(self, id: str, delivery: str) -> Told:
        return _sent(self._hooks.replay(id, delivery))

    def emit(self, type: str, payload: Mapping[str, Any]) -> Told:
        made = self.kiln.emit(type, payload)
        return {"id": made.seq, "type": made.type, "timestamp": iso(made.at), "handled": made.handled}

    def handled(self, states: Collection[DeliveryState], type: str | None, limit: int) -> Sequence[Told]:
        return [_handled(each) for each in self._hooks.handled(states=states, type=type, limit=limit)]

    def retry(self, id: str) -> Told:
        return _handled(self._hooks.handle_again(id))


def _sent(stored: StoredDelivery) -> Told:
    more = {"status": stored.status, "response": stored.response, "payload": stored.payload}
    return {**stored.to_json(), **more}


def _handled(stored: StoredDelivery) -> Told:
    return {**stored.to_json(), "payload": stored.payload["data"]}
