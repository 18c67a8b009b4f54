"""Which bytes of a file."""

from __future__ import annotations

from dataclasses import dataclass

from renderkiln.storage.errors import OutOfRange


@dataclass(frozen=True)
class Span:
    """Bytes from `start` to before `stop` (None: to the end). A negative start counts from the end."""

    start: int = 0
    stop: int | None = None

    def __post_init__(self) -> None:
        if self.start < 0 and self.stop is not None:
            raise ValueError("a span that counts from the end goes to the end")
        if self.stop is not None and self.stop <= self.start:
            raise ValueError("a span has at least one byte")

    def within(self, size: int) -> tuple[int, int]:
        """(start, stop) in a file of `size` bytes, cut where it ends; raises `OutOfRange` if nothing is left.

        The whole of an empty file is (0, 0).
        """
        start = max(0, size + self.start) if self.start < 0 else self.start
        if start >= size and self != WHOLE:
            raise OutOfRange(f"the file has {size} bytes: there is none at {start}")
        return start, size if self.stop is None else min(self.stop, size)


WHOLE = Span()


def tail(count: int) -> Span:
    """The last `count` bytes, or all there are."""
    if count < 1:
        raise ValueError("a span has at least one byte")
    return Span(-count)
