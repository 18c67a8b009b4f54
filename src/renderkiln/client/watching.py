"""Jobs until they end: the server says when something has happened, and we look what."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from renderkiln.client.asking import PREFIX, Patience, data_of, is_passing
from renderkiln.client.effects import Answer, Flow, Item, Pause, Request, read
from renderkiln.client.errors import RenderkilnApiError, ServerUnreachable, WaitedTooLong
from renderkiln.client.records import Job

OnProgress = Callable[[Job], object]

_SOONEST, _LATEST = 0.25, 2.0  # seconds between two looks
_OUTAGE = 60.0  # seconds that a server which was there may be away
_SILENCE = 25.0  # seconds; a server that is there breaks it after 15


def look(id: str, patience: Patience) -> Flow[Job]:
    """The job as it stands."""
    return Job.of((yield from data_of(Request("GET", f"/jobs/{id}"), patience)))


def until_ended(
    id: str, patience: Patience, timeout: float | None, changed: Callable[[Job], Iterable[Item]]
) -> Flow[Job]:
    """The job when it has ended; `changed` hears how it stands, now and after each change.

    Raises WaitedTooLong.
    """
    deadline = float("inf") if timeout is None else time.monotonic() + timeout
    news, heard = _News(id), float("-inf")
    seen: Job | None = None
    while True:
        try:
            job = yield from look(id, patience)
        except RenderkilnApiError as error:
            if not is_passing(error) or time.monotonic() - heard > _OUTAGE:
                raise
        else:
            heard = time.monotonic()
            if job != seen:
                yield from changed(job)
                seen = job
            if job.has_ended:
                return job
        left = deadline - time.monotonic()
        if left <= 0 and seen is not None:
            told = f"job {id} is {seen.state}, {seen.progress:.0f} %, after {timeout:g} s; it goes on"
            raise WaitedTooLong(told)
        yield from news.wait(left)


class _News:
    """Waits until a job may have changed: for its events, or, where they cannot be had, for a while.

    What the events say is not looked at: how the job stands is asked for, so there is one truth.
    """

    def __init__(self, id: str) -> None:
        self._path = f"{PREFIX}/jobs/{id}/events"
        self._can_listen, self._listens = True, False
        self._pause = _SOONEST

    def wait(self, left: float) -> Flow[None]:
        yield Pause(min(self._pause, left))
        if self._can_listen and not self._listens:
            yield from self._open(left)
        if self._listens:
            yield from self._hear()
        else:
            self._pause = min(self._pause * 1.5, _LATEST)

    def _open(self, left: float) -> Flow[None]:
        request = Request("GET", self._path, streamed=True, patience=min(_SILENCE, left))
        try:
            answer: Answer = yield request
        except ServerUnreachable:
            return
        self._listens = answer.status == 200 and "event-stream" in answer.headers.get("content-type", "")
        self._can_listen = self._listens or answer.status in (429, 503)
        self._pause = _SOONEST

    def _hear(self) -> Flow[None]:
        """Until something comes, were it a sign of life."""
        try:
            self._listens = bool((yield from read()))
        except ServerUnreachable:
            self._listens = False
