"""Answers that cost a while to make: made one at a time, and good for a moment for all who ask."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from starlette.concurrency import run_in_threadpool

_MOST = 200  # answers that are kept


@dataclass
class Recently:
    """Keeps each answer for so many seconds. To be used from one event loop."""

    seconds: float
    _kept: dict[Hashable, tuple[float, Any]] = field(default_factory=dict)
    _making: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def of(self, question: Hashable, make: Callable[[], Any]) -> Any:
        """The answer: what was made a moment ago, or what `make` says in a thread."""
        async with self._making:
            at, answer = self._kept.get(question, (float("-inf"), None))
            if time.monotonic() - at < self.seconds:
                return answer
            answer = await run_in_threadpool(make)
            self._kept.pop(question, None)
            self._kept[question] = (time.monotonic(), answer)
            if len(self._kept) > _MOST:
                del self._kept[next(iter(self._kept))]
            return answer
