"""A stored file that is being read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from renderkiln.storage.stored import Stored


class Reading:
    """Iterate over it for chunks of bytes, once; `start` and `stop` say which bytes these are.

    To be used in `with`, which lets the file or connection go. Raises `Unavailable` where it breaks off.
    """

    def __init__(
        self, stored: Stored, span: tuple[int, int], chunks: Iterator[bytes], close: Callable[[], None]
    ) -> None:
        self.stored = stored
        self.start, self.stop = span
        self._chunks = chunks
        self._close = close

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def read(self) -> bytes:
        """All of it at once."""
        return b"".join(self._chunks)
