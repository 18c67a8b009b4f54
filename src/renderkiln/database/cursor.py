"""Where a page of a list ends."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa


class Cursor(NamedTuple):
    """What comes after it is older."""

    created_at: datetime
    id: str


def older_than(cursor: Cursor, table: sa.Table) -> sa.ColumnElement[bool]:
    """The rows after it, where the newest come first; of those of one moment, the last by their ids."""
    moment, id = table.c.created_at, table.c.id
    return (moment < cursor.created_at) | ((moment == cursor.created_at) & (id < cursor.id))
