"""Events as they happen, over server-sent events: one look at the database for all who watch.

Our own and not a library's: each event is put into words once for all watchers, who reads too slowly is let
go without holding up the others, and all streams end with the server, whose signals are ours.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from renderkiln.api.envelope import Refused
from renderkiln.api.place import Place
from renderkiln.database import events, jobs
from renderkiln.database.engine import Database
from renderkiln.database.events import StoredEvent
from renderkiln.database.jobs import StoredJob
from renderkiln.database.trouble import first_line
from renderkiln.domain.discretion import longest_first, places_of, without
from renderkiln.domain.report import iso

_log = logging.getLogger(__name__)

LOOK = 0.2  # seconds between two looks
KEEP_ALIVE = 15.0  # seconds of silence, after which a comment says that we are there
MOST_STREAMS = 800  # at once: others want answers, too
MOST_OF_ONE = 200  # account
_MOST_WAITING = 2000  # events that one watcher may be behind
_PAGE = 500
_BEHIND = 100  # numbers below the newest that may still come to light when the first watcher comes
_AGAIN = 2000  # milliseconds after which clients come again

_PARTING = 1.0  # seconds in which a reader takes what is left

_Told = tuple[StoredEvent, dict[str, Any]]


@dataclass(frozen=True)
class Frame:
    """An event, in words and as it is sent."""

    stored: StoredEvent
    sent: bytes


class Watcher:
    """One who is told of what happens from now on. `over` is set when it hears nothing more."""

    def __init__(self, account: str | None = None) -> None:
        self.account = account
        self._waiting: deque[Frame] = deque()
        self._news = asyncio.Event()
        self.over = asyncio.Event()

    def hear(self, frames: Sequence[Frame]) -> None:
        if len(self._waiting) + len(frames) > _MOST_WAITING:
            self.end()
            self._waiting.clear()
            return
        self._waiting.extend(frames)
        self._news.set()

    def end(self) -> None:
        self.over.set()
        self._news.set()

    async def news(self, seconds: float) -> list[Frame]:
        """What came; nothing after so many seconds without, or when it is over."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return []
        self._news.clear()
        frames = list(self._waiting)
        self._waiting.clear()
        return frames


class Hub:
    """Looks into the database while anybody watches. To be used from one event loop."""

    def __init__(self, database: Callable[[], Database], home: Path) -> None:
        self._database, self._home = database, home
        self._watchers: set[Watcher] = set()
        self._joining = asyncio.Lock()
        self._looking: asyncio.Task[None] | None = None
        self._place = Place()
        self._is_closed = False

    async def join(self, account: str | None) -> tuple[Watcher, Place]:
        """One more watcher, and the place from which on it hears everything. Raises Refused.

        None is whoever administers; others may not take all the streams there are.
        """
        if self._is_closed:
            raise Refused(503, "STOPPING", "the server is stopping: come again", headers={"Retry-After": "5"})
        if account is not None and self._of(account) >= MOST_OF_ONE:
            told = f"{MOST_OF_ONE} streams of this account are open already: close some"
            raise Refused(429, "TOO_MANY_STREAMS", told, headers={"Retry-After": "30"})
        if len(self._watchers) >= MOST_STREAMS:
            told = f"{MOST_STREAMS} streams are open already: come again later"
            raise Refused(503, "TOO_MANY_STREAMS", told, headers={"Retry-After": "30"})
        async with self._joining:
            if self._looking is None:
                self._place = await run_in_threadpool(self._here)
                self._looking = asyncio.create_task(self._look())
            watcher = Watcher(account)
            self._watchers.add(watcher)
        return watcher, Place(self._place.newest, dict(self._place.missing))

    def _of(self, account: str) -> int:
        return sum(each.account == account for each in self._watchers)

    def leave(self, watcher: Watcher) -> None:
        """It hears nothing more; where nobody else does, there is nothing to look for."""
        self._watchers.discard(watcher)
        if not self._watchers and self._looking is not None:
            self._looking.cancel()
            self._looking = None

    async def close(self) -> None:
        """End all streams."""
        self._is_closed = True
        for watcher in self._watchers:
            watcher.end()

    async def after(self, place: Place, *, job_id: str | None = None) -> list[Frame]:
        """The first of the events that were not seen at `place`, which moves on; of all, or of a job."""
        ask = partial(self._read, place.newest, tuple(place.missing), job_id=job_id)
        return _frames(await run_in_threadpool(ask), place, sparse=job_id is not None)

    async def _look(self) -> None:
        is_away = False
        while True:
            await asyncio.sleep(LOOK)
            place = self._place
            place.forget(time.monotonic())
            try:
                found = await run_in_threadpool(partial(self._read, place.newest, tuple(place.missing)))
            except DBAPIError as error:
                if not is_away:
                    _log.warning("cannot see what happens: %s", first_line(error))
                is_away = True
                continue
            except Exception:  # noqa: BLE001  the streams would stand still for ever
                _log.exception("cannot see what happens")
                continue
            is_away = False
            if frames := _frames(found, place):
                for watcher in tuple(self._watchers):
                    watcher.hear(frames)

    def _here(self) -> Place:
        """Where the newest event is, and which before it may still come to light."""
        place, now = Place(), time.monotonic()
        with self._database().read() as connection:
            newest = events.newest(connection)
            for count, each in enumerate(events.after(connection, newest - _BEHIND, limit=_BEHIND)):
                place.note(each.seq, now, sparse=not count)
        return place

    def _read(self, newest: int, missing: Sequence[int], *, job_id: str | None = None) -> list[_Told]:
        with self._database().read() as connection:
            found = events.after(connection, newest, besides=missing, job_id=job_id, limit=_PAGE)
            return self._worded(connection, found)

    def _worded(self, connection: sa.Connection, found: Sequence[StoredEvent]) -> list[_Told]:
        """Events in JSON, and nowhere in them where anything lies."""
        told = [(each, _as_json(each)) for each in found]
        named = {each.event.job_id for each, words in told if "/" in f"{words['message']}{words['data']}"}
        of = {each.report.job.id: each for each in jobs.find_all(connection, [id for id in named if id])}
        return [
            (each, self._discreet(words, of[each.event.job_id]) if each.event.job_id in of else words)
            for each, words in told
        ]

    def _discreet(self, words: dict[str, Any], job: StoredJob) -> dict[str, Any]:
        hidden = longest_first({self._home, job.output_dir, *places_of(job.report)})
        return {**words, "message": without(words["message"], hidden), "data": without(words["data"], hidden)}


class EventStream(StreamingResponse):
    """An answer that goes on: what `tell` says, until it ends, the reader leaves, or `watcher` is let go."""

    media_type = "text/event-stream"

    def __init__(self, tell: AsyncIterator[bytes], watcher: Watcher, leave: Callable[[], None]) -> None:
        super().__init__(tell, headers={"cache-control": "no-store, no-transform", "x-accel-buffering": "no"})
        self._tell, self._watcher, self._leave = tell, watcher, leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  ASGI's
        writing = asyncio.create_task(self._write(send))
        parting = asyncio.create_task(_left(receive))
        over = asyncio.create_task(self._watcher.over.wait())
        try:
            await asyncio.wait((writing, parting, over), return_when=asyncio.FIRST_COMPLETED)
            if over.done() and not parting.done():
                # Whoever reads has time to see the end; whoever does not is not waited for.
                await asyncio.wait((writing,), timeout=_PARTING)
        finally:
            self._leave()
            for task in (writing, parting, over):
                task.cancel()
            ended = await asyncio.gather(writing, parting, over, return_exceptions=True)
        if isinstance(ended[0], Exception):
            raise ended[0]

    async def _write(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async for sent in self._tell:
            await send({"type": "http.response.body", "body": sent, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def watch(
    hub: Hub,
    is_valid: Callable[[], Awaitable[bool]],
    sees: Callable[[StoredEvent], bool],
    *,
    place: Place | None = None,
    job_id: str | None = None,
    lasts: Callable[[StoredEvent | None], bool] = lambda _: True,
    account: str | None = None,
) -> EventStream:
    """The stream of what happens after `place` (None: from now on), as far as somebody `sees` it.

    It goes on while it `lasts`, which is asked with the newest event once all that are there are told; and
    while the key that opened it opens anything (`is_valid`), which is asked now and then. Raises Refused.
    """
    watcher, here = await hub.join(account)
    begin = Place(place.newest, dict(place.missing)) if place is not None else here

    async def tell() -> AsyncIterator[bytes]:
        last: StoredEvent | None = None

        def chosen(frames: Sequence[Frame]) -> Iterator[bytes]:
            nonlocal last
            for frame in frames:
                if (job_id is None or frame.stored.event.job_id == job_id) and sees(frame.stored):
                    last = frame.stored
                    yield frame.sent

        # An id without data: who is cut off before the first event comes goes on from here all the same.
        yield f"retry: {_AGAIN}\nid: {begin.word}\n\n".encode()
        while place is not None and not watcher.over.is_set():
            missed = await hub.after(begin, job_id=job_id)
            if sent := b"".join(chosen(missed)):
                yield sent
            if len(missed) < _PAGE:
                break
        told = time.monotonic()
        asked = told - random.uniform(0, KEEP_ALIVE)  # noqa: S311  so that not all streams ask at once
        while not watcher.over.is_set() and lasts(last):
            news = await watcher.news(KEEP_ALIVE)
            now = time.monotonic()
            new = [each for each in news if begin.lacks(each.stored.seq)]
            for each in new:
                begin.note(each.stored.seq, now, sparse=job_id is not None)
            begin.forget(now)
            sent = b"".join(chosen(new)) or (b": still here\n\n" if now - told >= KEEP_ALIVE else b"")
            if sent:
                told = now
                yield sent
            if now - asked >= KEEP_ALIVE:
                asked = now
                if not await is_valid():
                    return

    return EventStream(tell(), watcher, partial(hub.leave, watcher))


def _as_json(stored: StoredEvent) -> dict[str, Any]:
    event = stored.event
    return {
        "id": stored.seq,
        "type": event.name,
        "timestamp": iso(event.at),
        "jobId": event.job_id,
        "batchId": stored.batch_id,
        "stage": event.stage,
        "progress": round(event.percent or 0.0, 1),
        "message": event.message,
        "data": event.told,
    }


def _frames(found: Sequence[_Told], place: Place, *, sparse: bool = False) -> list[Frame]:
    """`place` moves on by these; each is sent with the place that its reader has reached with it."""
    now, frames = time.monotonic(), []
    for stored, words in found:
        place.note(stored.seq, now, sparse=sparse)
        head = f"id: {place.word}\nevent: {stored.event.name}\n"
        frames.append(Frame(stored, f"{head}data: {json.dumps(words)}\n\n".encode()))
    return frames


async def _left(receive: Receive) -> None:
    """Until the reader has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
