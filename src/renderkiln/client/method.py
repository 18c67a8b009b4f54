"""Operations as methods: blocking in the one client, awaited in the other, written once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import update_wrapper
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, Self, TypeVar, overload

from renderkiln.client.effects import Flow

P = ParamSpec("P")
T = TypeVar("T")


class Blocking(Protocol):
    """A client whose calls return what they bring."""

    def run(self, flow: Flow[T]) -> T: ...

    def iterate(self, flow: Flow[Any]) -> Iterator[Any]: ...


class Awaiting(Protocol):
    """A client whose calls are awaited."""

    async def run(self, flow: Flow[T]) -> T: ...

    def iterate(self, flow: Flow[Any]) -> AsyncIterator[Any]: ...


class operation(Generic[P, T]):  # noqa: N801  a decorator
    """A generator of effects becomes a call that brings what it returns."""

    def __init__(self, flow: Callable[Concatenate[Any, P], Flow[T]]) -> None:
        self._flow = flow
        self.__doc__ = flow.__doc__

    @overload
    def __get__(self, client: None, owner: type) -> Self: ...
    @overload
    def __get__(self, client: Blocking, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: Awaiting, owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, client: Any, owner: type) -> Any:
        return self if client is None else _bound(self._flow, client, client.run)


class listing(Generic[T]):  # noqa: N801  a decorator
    """`@listing(Job)`: a generator that yields Items of jobs becomes a call to iterate over."""

    def __init__(self, _kind: type[T]) -> None: ...

    def __call__(self, flow: Callable[Concatenate[Any, P], Flow[Any]]) -> _Listing[P, T]:
        return _Listing(flow)


class _Listing(Generic[P, T]):
    def __init__(self, flow: Callable[Concatenate[Any, P], Flow[Any]]) -> None:
        self._flow = flow
        self.__doc__ = flow.__doc__

    @overload
    def __get__(self, client: None, owner: type) -> Self: ...
    @overload
    def __get__(self, client: Blocking, owner: type) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, client: Awaiting, owner: type) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, client: Any, owner: type) -> Any:
        return self if client is None else _bound(self._flow, client, client.iterate)


def _bound(flow: Callable[..., Flow[Any]], client: Any, do: Callable[[Flow[Any]], Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        return do(flow(client, *args, **kwargs))

    return update_wrapper(call, flow)
