"""What every storage does."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from renderkiln.storage.reading import Reading
from renderkiln.storage.source import Progress, Source
from renderkiln.storage.span import WHOLE, Span
from renderkiln.storage.stored import Page, Stored

NOTHING: Mapping[str, str] = MappingProxyType({})


class Storage(Protocol):
    """Files under keys. All calls wait for their end, may come from any thread and raise `StorageError`."""

    @property
    def location(self) -> str:
        """What this storage is called in `Stored.location`."""

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
        """Store a file whole or not at all, in place of the one under this key.

        `if_absent` raises `Taken` instead of replacing one. `move` gives a file away: it is gone from its
        place once it is stored. `sha256` is that of a file, where it is known: what is given away is not
        read for that again; any other file that has another one raises `Altered`, and what was under the
        key stays. `progress` hears the number of bytes, the last one when the file is there; an error it
        raises ends the upload and nothing is stored.
        """

    def open(self, key: str, span: Span = WHOLE) -> Reading:
        """Read a file or a part of it; raises `Missing` and `OutOfRange`."""

    def head(self, key: str) -> Stored | None:
        """What is under the key; None if nothing is."""

    def delete(self, key: str) -> None:
        """Remove what is under the key, if anything is."""

    def list(self, prefix: str = "", *, after: str | None = None, limit: int = 1000) -> Page:
        """The files in the folder `prefix` and below it whose keys come after `after`, `limit` at most."""

    def url(self, key: str, *, seconds: int | None, filename: str | None = None) -> str:
        """Where anybody can GET the file for so many seconds, saved as `filename`, whether it exists or not.

        None asks for the plain URL, which works as long as the file is public.
        """
