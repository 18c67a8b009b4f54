"""Pictures that are drawn while somebody waits for them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from fastapi import Request

from renderkiln.api.envelope import Refused
from renderkiln.api.room import Reached
from renderkiln.domain.errors import Stopped, UsageError
from renderkiln.engine.confinement import TooSlow

T = TypeVar("T")


async def drawn(request: Request, kiln: Reached, account: str, draw: Callable[[threading.Event], T]) -> T:
    """What `draw` comes to. The event that it gets is set when who asks has left, or the server stops.

    Raises Refused for what cannot be drawn.
    """
    stop = threading.Event()
    drawing = asyncio.ensure_future(kiln.draw(account, lambda: _told(draw, stop)))
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((drawing, gone), return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
        if not drawing.done():
            stop.set()
    return await drawing


def _told(draw: Callable[[threading.Event], T], stop: threading.Event) -> T:
    try:
        return draw(stop)
    except UsageError as error:
        raise Refused(422, "INVALID_REQUEST", str(error)) from error
    except TooSlow as error:
        raise Refused(422, "TOO_SLOW", str(error)) from error
    except Stopped as error:
        raise Refused(408, "DISCONNECTED", str(error)) from error


async def _gone(request: Request) -> None:
    """Until who asks has left."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
