"""An event on its way to who is to hear of it: a webhook, or a handler."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from renderkiln.domain.retry import Retry

DeliveryState = Literal["pending", "delivered", "failed"]
DELIVERY_STATES: tuple[DeliveryState, ...] = get_args(DeliveryState)

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
# Seconds before the next try, as Standard Webhooks propose: ten tries in three days.
WEBHOOK_WAITS = (5.0, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)
HANDLER_RETRY = Retry(attempts=5, first=1.0)


@dataclass(frozen=True)
class ReceivedEvent:
    """What a handler is given. `id` is the same at every try: who has seen it need not act again."""

    id: str
    type: str
    at: datetime
    payload: Mapping[str, Any]
    attempt: int  # from 1
