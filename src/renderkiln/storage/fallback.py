"""A storage with a second one behind it, for when the first does not answer."""

from __future__ import annotations

import contextlib
import heapq
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from renderkiln.storage.contract import NOTHING, Storage
from renderkiln.storage.errors import Full, Missing, Taken, Unavailable
from renderkiln.storage.reading import Reading
from renderkiln.storage.source import Progress, Source, spooled
from renderkiln.storage.span import WHOLE, Span
from renderkiln.storage.stored import Listed, Page, Stored


class FallbackStorage:
    """Stores in the first; in the second while that is unavailable or full. `Stored.location` says where.

    Reads look in both, and the newer file is the file. Give it two `RetryingStorage`: it does not try twice.
    What only one of the two can know is an error while that one is away, never a guess.
    """

    def __init__(self, first: Storage, second: Storage, *, spool: Path | None = None) -> None:
        if first.location == second.location:
            raise ValueError("two storages need two names: `location` is how they are told apart")
        self._first = first
        self._second = second
        self._spool = spool

    @property
    def location(self) -> str:
        return f"{self._first.location}+{self._second.location}"

    def at(self, location: str) -> Storage:
        """The one of that name; raises `Missing`."""
        for each in (self._first, self._second):
            if each.location == location:
                return each
        raise Missing(f"there is no storage called {location!r} here: {self.location} are")

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
        """As every storage. `if_absent` does not see what is only in the first while that is unavailable."""
        if if_absent and self._second.head(key) is not None:
            raise Taken(f"something is stored under {key!r} already")
        with spooled(source, self._spool) as path:

            def put(storage: Storage) -> Stored:
                return storage.put(
                    key,
                    path,
                    content_type=content_type,
                    metadata=metadata,
                    if_absent=if_absent,
                    move=move and path is source,
                    sha256=sha256,
                    progress=progress,
                )

            try:
                return put(self._first)
            except (Unavailable, Full) as error:
                with _because_of(error):
                    return put(self._second)

    def open(self, key: str, span: Span = WHOLE) -> Reading:
        stored = self.head(key)
        if stored is None:
            raise Missing(f"nothing is stored under {key!r}")
        return self.at(stored.location).open(key, span)

    def head(self, key: str) -> Stored | None:
        """The newer of the two; raises `Unavailable` if one is away and the other has nothing."""
        found: list[Stored] = []
        away: list[Unavailable] = []
        for each in (self._first, self._second):
            try:
                if stored := each.head(key):
                    found.append(stored)
            except Unavailable as error:
                away.append(error)
        if away and not found:
            raise away[0]
        return max(found, key=lambda stored: stored.modified, default=None)

    def delete(self, key: str) -> None:
        """Remove it from both; raises `Unavailable` when it may still be in one."""
        try:
            self._first.delete(key)
        finally:
            self._second.delete(key)

    def list(self, prefix: str = "", *, after: str | None = None, limit: int = 1000) -> Page:
        """What both have, each key once."""
        pages = [each.list(prefix, after=after, limit=limit) for each in (self._first, self._second)]
        merged = heapq.merge(*(page.items for page in pages), key=lambda each: each.key.encode())
        items = list(islice(_once(merged), limit))
        more = len(items) == limit or any(page.after for page in pages)
        return Page(items, items[-1].key if items and more else None)

    def url(self, key: str, *, seconds: int | None, filename: str | None = None) -> str:
        """Of the one that has it, else of the first. It asks both: `at` is for who knows the location."""
        stored = self.head(key)
        storage = self._first if stored is None else self.at(stored.location)
        return storage.url(key, seconds=seconds, filename=filename)


@contextlib.contextmanager
def _because_of(first: Exception) -> Iterator[None]:
    try:
        yield
    except Unavailable as second:
        raise Unavailable(f"{first}; and in its stead: {second}") from second


def _once(listed: Iterator[Listed]) -> Iterator[Listed]:
    """One of each key, the newer."""
    held: Listed | None = None
    for each in listed:
        if held is not None and each.key != held.key:
            yield held
            held = None
        held = each if held is None or each.modified > held.modified else held
    if held is not None:
        yield held
