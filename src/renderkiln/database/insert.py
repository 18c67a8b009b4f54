"""INSERT: with ON CONFLICT, which SQLAlchemy spells once for each database; and of many rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")

PORTION = 500  # rows


def insert_into(dialect: str, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows `on_conflict_do_update` and `on_conflict_do_nothing`."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def insert_many(
    connection: sa.Connection, statement: sa.Insert, things: Sequence[T], row: Callable[[T], dict[str, Any]]
) -> None:
    """Insert the row of each thing, in their order, however many they are.

    In portions: to Postgres a transaction does nothing while its rows are made, and it ends one that does
    nothing for seconds. On a busy machine ten thousand rows take as long as that.
    """
    for start in range(0, len(things), PORTION):
        connection.execute(statement, [row(each) for each in things[start : start + PORTION]])
