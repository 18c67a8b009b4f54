"""The render room, as routes reach it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from renderkiln.app import Renderkiln
from renderkiln.engine.keys import Keys
from renderkiln.engine.room import Room

T = TypeVar("T")


@dataclass(frozen=True)
class Reached:
    """What routes have of it. Questions are asked by `read`, changes made by `write`."""

    kiln: Renderkiln

    @property
    def room(self) -> Room:
        return self.kiln.room

    @property
    def keys(self) -> Keys:
        return self.kiln.keys

    async def read(self, ask: Callable[[], T]) -> T:
        """The answer to a question of one row or a page of them.

        On SQLite here and now: it takes less than handing it to a thread does while renders keep all cores
        busy (5.9 ms against 52 at the 99th percentile). Postgres may be slow to answer.
        """
        return ask() if self.kiln.database.is_sqlite else await run_in_threadpool(ask)

    async def write(self, change: Callable[[], T]) -> T:
        """What comes of a change, which may wait for a lock: never in the event loop."""
        return await run_in_threadpool(change)


def _reached(request: Request) -> Reached:
    reached: Reached = request.app.state.reached
    return reached


Kiln = Annotated[Reached, Depends(_reached)]
