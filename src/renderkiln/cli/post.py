"""Where commands ask for webhooks and events: the database of this machine, or a server.

What they get is JSON as the API tells it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from renderkiln.domain.delivery import DeliveryState

Told = Mapping[str, Any]


class Post(Protocol):
    """Every verb raises UserError for what there is not, and for what is not in a state for it."""

    def webhooks(self) -> Sequence[Told]:
        """The newest first."""

    def webhook(self, id: str) -> Told: ...

    def add(self, url: str, types: Sequence[str], label: str) -> Told:
        """With its secret. Raises UsageError."""

    def enable(self, id: str, *, enabled: bool) -> None: ...

    def remove(self, id: str) -> None: ...

    def rotate(self, id: str) -> Told:
        """With its new secret."""

    def test(self, id: str) -> Told: ...

    def deliveries(self, id: str, states: Collection[DeliveryState], limit: int) -> Sequence[Told]:
        """The newest first."""

    def replay(self, id: str, delivery: str) -> Told: ...

    def emit(self, type: str, payload: Mapping[str, Any]) -> Told:
        """Raises UsageError."""

    def handled(self, states: Collection[DeliveryState], type: str | None, limit: int) -> Sequence[Told]:
        """The newest first."""

    def retry(self, id: str) -> Told: ...
