"""Column types that hold the same on SQLite and on Postgres."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

# Postgres stores no NUL, and neither database a lone surrogate, which stands for a byte of a file name
# that is not UTF-8. They are written as U+FDD0, a character no text uses, and four hexadecimal digits.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff\ufdd0]")
_STORED = re.compile("\ufdd0([0-9a-f]{4})")
_NUL = "\\u0000"  # as JSON writes it


def storable(text: str) -> str:
    """`text` as it is stored: almost always itself."""
    return _UNSTORABLE.sub(lambda found: f"\ufdd0{ord(found[0]):04x}", text)


def restored(text: str) -> str:
    """The text that `storable` made this of."""
    return _STORED.sub(lambda found: chr(int(found[1], 16)), text)


class Moment(sa.TypeDecorator[datetime]):
    """An aware datetime, always read as UTC. SQLite keeps it as text of one length, which sorts by time."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("times in the database are aware")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Text(sa.TypeDecorator[str]):
    """Any text, whatever its characters."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:  # noqa: ARG002  its signature
        return None if value is None else storable(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> str | None:  # noqa: ARG002  its signature
        return None if value is None else restored(value)


class Json(sa.TypeDecorator[Any]):
    """A JSON value; None is SQL's NULL."""

    impl = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:  # noqa: ARG002  its signature
        return _each_text(storable, value) if _holds(_UNSTORABLE, value) else value

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:  # noqa: ARG002  its signature
        return _each_text(restored, value) if _holds(_STORED, value) else value


def _holds(what: re.Pattern[str], value: Any) -> bool:
    """Whether `what` may be in any of its texts: ten times as fast as to look at each of a large document."""
    return what.search(json.dumps(value, ensure_ascii=False).replace(_NUL, "\x00")) is not None


def _each_text(change: Callable[[str], str], value: Any) -> Any:
    match value:
        case str():
            return change(value)
        case dict():
            return {change(key): _each_text(change, each) for key, each in value.items()}
        case list() | tuple():
            return [_each_text(change, each) for each in value]
    return value
