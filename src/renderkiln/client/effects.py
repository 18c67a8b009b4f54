"""What an operation asks its client to do: the same for the one that blocks and the one that awaits.

An operation is a generator of these. It holds all there is to know of requests and answers; a client only
does what it yields, and sends back what came of it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    """One request; comes back as an Answer, or is raised as ServerUnreachable.

    `path` begins with a slash and counts from the server's address, or is a whole URL, which gets the key
    only where it is the server's own. `body` makes the bytes to send anew for each try. Of a `streamed` one,
    the answer's body is got by Read. `patience` is in seconds without a byte; None: the client's own.
    """

    method: str
    path: str
    query: Mapping[str, str | int | float | bool | Sequence[str]] = field(default_factory=dict)
    json: Any = None
    body: Callable[[], Iterator[bytes]] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    streamed: bool = False
    patience: float | None = None


@dataclass(frozen=True)
class Answer:
    """What the server said. The names of `headers` are in lower case; `url` is where it came from."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


@dataclass(frozen=True)
class Read:
    """Some bytes of the latest streamed answer; none at its end. Raised as ServerUnreachable."""


@dataclass(frozen=True)
class Pause:
    """Wait so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Work:
    """Do what may take a while on this machine; comes back as what it returns."""

    do: Callable[[], Any]


@dataclass(frozen=True)
class Item:
    """One of several results, for who iterates."""

    value: Any


Effect = Request | Read | Pause | Work | Item
Flow = Generator[Effect, Any, T]


def read() -> Flow[bytes]:
    """Some bytes of the streamed answer."""
    some: bytes = yield Read()
    return some


def work(do: Callable[[], T]) -> Flow[T]:
    """What `do` returns."""
    done: T = yield Work(do)
    return done


class Course(Generic[T]):
    """An operation on its way. Give it what came of each effect: a `reply`, or an `error`."""

    def __init__(self, flow: Flow[T]) -> None:
        self._flow = flow
        self.reply: Any = None
        self.error: Exception | None = None
        self.value: T

    def next(self) -> Effect | None:
        """What is to be done now; None when `value` is there. Raises what the operation raises."""
        reply, error, self.reply, self.error = self.reply, self.error, None, None
        try:
            return self._flow.send(reply) if error is None else self._flow.throw(error)
        except StopIteration as end:
            self.value = end.value
            return None
