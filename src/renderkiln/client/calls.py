"""Requests as the operations make them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import quote

from renderkiln.client.asking import Patience, data_of
from renderkiln.client.effects import Flow, Item, Request
from renderkiln.client.records import Record
from renderkiln.domain.errors import UsageError

R = TypeVar("R", bound=Record)

_PAGE = 200  # things that one request lists


class Calls:
    """What all operations are made of."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience

    def _get(self, path: str, **query: Any) -> Flow[Any]:
        return (yield from data_of(Request("GET", path, query=query), self._patience))

    def _post(
        self,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        repeatable: bool = True,
    ) -> Flow[Any]:
        request = Request("POST", path, json=body, headers=headers or {})
        return (yield from data_of(request, self._patience, repeatable=repeatable))

    def _pages(self, path: str, record: type[R], query: Mapping[str, Any]) -> Flow[None]:
        cursor: str | None = None
        while True:
            page = yield from self._get(path, **query, limit=_PAGE, **given(cursor=cursor))
            for each in page["items"]:
                yield Item(record.of(each))
            cursor = page["nextCursor"]
            if cursor is None:
                return


def given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def part_of(id: str) -> str:
    """An id as a part of a path, whatever is in it."""
    if not id or id in (".", ".."):
        raise UsageError(f"{id!r} is no id")
    return quote(id, safe="")


def all_of(record: type[R], data: Any) -> tuple[R, ...]:
    return tuple(record.of(each) for each in data)
