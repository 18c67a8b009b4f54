"""Scenes of stored projects, numbered from 1 without gaps.

Whoever changes them holds their project: `projects.change_if_at` comes first in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from renderkiln.database.schema import scenes
from renderkiln.domain.report import iso


@dataclass(frozen=True)
class StoredScene:
    """A scene as it stands. `document` holds its id, too."""

    project_id: str
    id: str
    position: int
    document: Mapping[str, Any]
    created_at: datetime  # aware
    updated_at: datetime

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "position": self.position,
            "createdAt": iso(self.created_at),
            "updatedAt": iso(self.updated_at),
            "scene": dict(self.document),
        }


def of(connection: sa.Connection, project_id: str) -> list[StoredScene]:
    """All scenes of a project, in their order."""
    query = sa.select(scenes).where(scenes.c.project_id == project_id).order_by(scenes.c.position)
    return [StoredScene(**row._mapping) for row in connection.execute(query)]


def add(connection: sa.Connection, new: StoredScene) -> None:
    """Store a scene at its position; those from there on make room."""
    _shift(connection, new.project_id, 1, scenes.c.position >= new.position)
    connection.execute(sa.insert(scenes).values(**_row(new)))


def replace(
    connection: sa.Connection, project_id: str, id: str, document: Mapping[str, Any], now: datetime
) -> None:
    """Give a scene another document."""
    _change(connection, project_id, id, document=dict(document), updated_at=now)


def move(connection: sa.Connection, project_id: str, id: str, source: int, target: int) -> None:
    """Move a scene from one position to another; those between close up."""
    if source < target:
        _shift(connection, project_id, -1, scenes.c.position.between(source + 1, target))
    else:
        _shift(connection, project_id, 1, scenes.c.position.between(target, source - 1))
    _change(connection, project_id, id, position=target)


def remove(connection: sa.Connection, project_id: str, id: str, position: int) -> None:
    """Forget a scene; those behind it close up."""
    connection.execute(sa.delete(scenes).where(scenes.c.project_id == project_id, scenes.c.id == id))
    _shift(connection, project_id, -1, scenes.c.position > position)


def replace_all(connection: sa.Connection, project_id: str, new: Sequence[StoredScene]) -> None:
    """Let a project have these scenes and no others."""
    connection.execute(sa.delete(scenes).where(scenes.c.project_id == project_id))
    if new:
        connection.execute(sa.insert(scenes), [_row(each) for each in new])


def _shift(connection: sa.Connection, project_id: str, by: int, which: sa.ColumnElement[bool]) -> None:
    those = (scenes.c.project_id == project_id, which)
    connection.execute(sa.update(scenes).where(*those).values(position=scenes.c.position + by))


def _change(connection: sa.Connection, project_id: str, id: str, **values: Any) -> None:
    connection.execute(
        sa.update(scenes).where(scenes.c.project_id == project_id, scenes.c.id == id).values(**values)
    )


def _row(scene: StoredScene) -> dict[str, Any]:
    return {**asdict(scene), "document": dict(scene.document)}
