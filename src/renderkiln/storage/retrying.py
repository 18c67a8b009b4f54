"""A storage that is asked again when it does not answer, or not well."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from renderkiln.domain.clock import Clock, SystemClock
from renderkiln.domain.errors import Stopped
from renderkiln.domain.retry import Retry
from renderkiln.storage.contract import NOTHING, Storage
from renderkiln.storage.errors import Unavailable
from renderkiln.storage.reading import Reading
from renderkiln.storage.source import Progress, Source, spooled
from renderkiln.storage.span import WHOLE, Span
from renderkiln.storage.stored import Page, Stored

FIVE_TRIES = Retry(attempts=5, first=0.5, factor=2, cap=30, jitter=0.5)  # 7.5 s of waiting, more or less

_POLL = 0.1  # seconds between two looks at `stop`
_log = logging.getLogger(__name__)
T = TypeVar("T")


class RetryingStorage:
    """Tries everything that ends in `Unavailable` again; anything else at once means what it says.

    `stop` is asked before each try and while waiting: True ends the call with `Stopped`. It is of one job,
    and so is this object: it costs nothing to make. During an upload, an error from `progress` ends it too.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        retry: Retry = FIVE_TRIES,
        stop: Callable[[], bool] = lambda: False,
        spool: Path | None = None,
        clock: Clock | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._storage = storage
        self._retry = retry
        self._stop = stop
        self._spool = spool
        self._clock = clock or SystemClock()
        self._rng = rng or random.Random()  # noqa: S311  so that many do not come back at once

    @property
    def location(self) -> str:
        return self._storage.location

    def put(
        self,
        key: str,
        source: Source,
        *,
        content_type: str,
        metadata: Mapping[str, str] = NOTHING,
        if_absent: bool = False,
        move: bool = False,
        sha256: str | None = None,
        progress: Progress | None = None,
    ) -> Stored:
        """As every storage. A stream becomes a file first, in `spool`: it can be read only once."""
        told = None if progress is None else _forward(progress)
        with spooled(source, self._spool) as path:
            return self._tried(
                lambda: self._storage.put(
                    key,
                    path,
                    content_type=content_type,
                    metadata=metadata,
                    if_absent=if_absent,
                    move=move and path is source,
                    sha256=sha256,
                    progress=told,
                )
            )

    def open(self, key: str, span: Span = WHOLE) -> Reading:
        """As every storage. A reading that breaks off goes on where it was, if the file is still the same."""
        reading = self._tried(lambda: self._storage.open(key, span))
        stack = ExitStack()
        stack.enter_context(reading)
        chunks = self._resumed(reading, stack)
        return Reading(reading.stored, (reading.start, reading.stop), chunks, stack.close)

    def head(self, key: str) -> Stored | None:
        return self._tried(lambda: self._storage.head(key))

    def delete(self, key: str) -> None:
        self._tried(lambda: self._storage.delete(key))

    def list(self, prefix: str = "", *, after: str | None = None, limit: int = 1000) -> Page:
        return self._tried(lambda: self._storage.list(prefix, after=after, limit=limit))

    def url(self, key: str, *, seconds: int | None, filename: str | None = None) -> str:
        return self._storage.url(key, seconds=seconds, filename=filename)

    def _tried(self, ask: Callable[[], T]) -> T:
        failed = 0
        while True:
            if self._stop():
                raise Stopped("stopped while a file was stored or read")
            try:
                return ask()
            except Unavailable as error:
                failed += 1
                self._wait(failed, error)

    def _wait(self, failed: int, error: Unavailable) -> None:
        delay = self._retry.delay(failed, self._rng)
        if delay is None:
            raise Unavailable(f"{error} (tried {failed} times)", delay=error.delay) from error
        _log.info("%s: try %d of %d follows in %.1f s", error, failed + 1, self._retry.attempts, delay)
        end = self._clock.monotonic() + delay
        while (left := end - self._clock.monotonic()) > 0:
            if self._stop():
                raise Stopped("stopped while waiting to store or read a file again") from error
            self._clock.sleep(min(_POLL, left))

    def _resumed(self, reading: Reading, stack: ExitStack) -> Iterator[bytes]:
        at, failed = reading.start, 0
        stored, stop = reading.stored, reading.stop
        while True:
            try:
                for chunk in reading:
                    at += len(chunk)
                    failed = 0
                    yield chunk
                return
            except Unavailable as error:
                failed += 1
                if at == stop:
                    return
                self._wait(failed, error)
            stack.close()
            reading = self._tried(lambda: self._storage.open(stored.key, Span(at, stop)))  # noqa: B023
            stack.enter_context(reading)
            if reading.stored.etag != stored.etag:
                raise Unavailable(f"{stored.key!r} was replaced while it was read")


def _forward(progress: Progress) -> Progress:
    """Progress that stays where it was when a try begins anew; it is still called: it may stop the work."""
    most = 0

    def told(count: int) -> None:
        nonlocal most
        most = max(most, count)
        progress(most)

    return told
