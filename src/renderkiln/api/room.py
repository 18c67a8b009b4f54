"""The render room, as routes reach it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, TypeVar
from weakref import WeakValueDictionary

from anyio import CapacityLimiter
from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from renderkiln.api.demo import Composer
from renderkiln.api.envelope import Refused
from renderkiln.api.fetching import Fetcher
from renderkiln.api.recently import Recently
from renderkiln.api.session import Sessions
from renderkiln.api.sse import Hub
from renderkiln.api.throttle import Throttle
from renderkiln.app import Renderkiln
from renderkiln.database.keys import StoredKey
from renderkiln.engine.keys import Keys
from renderkiln.engine.room import Room

T = TypeVar("T")

_LOOKS, _LOOKS_OF_ONE = 16, 4  # files that are looked at, of some forty threads
_DRAWS, _MOST_WAITING = 2, 8  # pictures

NOTE_EVERY = 60.0  # seconds

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reached:
    """What routes have of it. Single rows are looked up by `read`; all else is `work`."""

    kiln: Renderkiln
    throttle: Throttle
    sessions: Sessions
    fetcher: Fetcher
    composer: Composer
    activity: Recently
    _noted: dict[str, float] = field(default_factory=dict)  # when each key's use was written down last
    _notes: set[asyncio.Task[None]] = field(default_factory=set)
    _looks: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(_LOOKS))
    _draws: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(_DRAWS))
    # By account, while somebody of it waits or is served
    _looking: WeakValueDictionary[str, CapacityLimiter] = field(default_factory=WeakValueDictionary)
    _drawing: WeakValueDictionary[str, CapacityLimiter] = field(default_factory=WeakValueDictionary)

    @property
    def room(self) -> Room:
        return self.kiln.room

    @property
    def keys(self) -> Keys:
        return self.kiln.keys

    async def read(self, ask: Callable[[], T]) -> T:
        """The answer to a question of one row.

        On SQLite here and now: it takes less than handing it to a thread does while renders keep all cores
        busy (5.9 ms against 52 at the 99th percentile). Postgres may be slow to answer.
        """
        return ask() if self.kiln.database.is_sqlite else await run_in_threadpool(ask)

    async def work(self, do: Callable[[], T]) -> T:
        """What comes of a longer question, or of a change, which may wait for a lock: in a thread."""
        return await run_in_threadpool(do)

    async def look(self, account: str, do: Callable[[], T]) -> T:
        """What comes of looking at a file that `account` has sent, in a child, when it is its turn.

        Few of one account's at once, and few of all: threads and cores are for others, too.
        """
        own = self._looking.setdefault(account, CapacityLimiter(_LOOKS_OF_ONE))
        async with own, self._looks:
            return await self.work(do)

    async def draw(self, account: str, do: Callable[[], T]) -> T:
        """What comes of drawing a picture in a child: one of an account at once, and few of all.

        Raises Refused where many of the account wait already.
        """
        own = self._drawing.setdefault(account, CapacityLimiter(1))
        if own.statistics().tasks_waiting >= _MOST_WAITING:
            told = f"{_MOST_WAITING} pictures of yours wait to be drawn already"
            raise Refused(429, "TOO_MANY_PREVIEWS", told, headers={"Retry-After": "5"})
        async with own, self._draws:
            return await self.work(do)

    def note_use(self, key: StoredKey) -> None:
        """Write down that a key was used, by and by; nobody is refused because that cannot be done."""
        now = time.monotonic()
        if now - self._noted.get(key.id, -NOTE_EVERY) < NOTE_EVERY:
            return
        self._noted[key.id] = now
        task = asyncio.create_task(self._noting(key))
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)

    async def _noting(self, key: StoredKey) -> None:
        try:
            await run_in_threadpool(lambda: self.keys.note_use(key))
        except Exception as error:  # noqa: BLE001  whatever it is: the request has its answer
            _log.warning("that the key %s was used is not written down: %s", key.id, error)


async def _reached(request: Request) -> Reached:
    reached: Reached = request.app.state.reached
    return reached


async def _hub(request: Request) -> Hub:
    hub: Hub = request.app.state.hub
    return hub


Kiln = Annotated[Reached, Depends(_reached)]
Streams = Annotated[Hub, Depends(_hub)]
