"""Where a page ended, as a word that clients send back."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from renderkiln.api.envelope import Refused

Row = TypeVar("Row")


def cursor_of(created_at: datetime, id: str) -> str:
    """A word for the place after the thing that was made then and has this id."""
    return base64.urlsafe_b64encode(f"{created_at.isoformat()} {id}".encode()).decode().rstrip("=")


def cut(
    rows: Sequence[Row], limit: int, place: Callable[[Row], tuple[datetime, str]]
) -> tuple[Sequence[Row], str | None]:
    """What is on a page, and the word for the next one: of `rows`, one more than `limit` was asked for."""
    items = rows[:limit]
    return items, cursor_of(*place(items[-1])) if len(rows) > limit else None


def place_of(cursor: str) -> tuple[datetime, str]:
    """The inverse. Raises Refused for what is no cursor."""
    try:
        padded = cursor.encode() + b"=" * (-len(cursor) % 4)
        moment, id = base64.b64decode(padded, altchars=b"-_", validate=True).decode().split(" ", 1)
        created_at = datetime.fromisoformat(moment)
        if created_at.tzinfo is None or not id.isprintable():
            raise ValueError(cursor)
        return created_at.astimezone(UTC), id
    except (binascii.Error, ValueError, OverflowError):
        raise Refused(
            404, "PAGE_NOT_FOUND", "there is no such page: send the nextCursor of one as cursor"
        ) from None
