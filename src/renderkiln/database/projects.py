"""Stored projects. Their scenes are rows of their own: `scenes`.

Every change of a project or of its scenes makes its revision one higher. Whoever changes one begins with
`change_if_at`, and nobody else changes it until that transaction ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from renderkiln.database.cursor import Cursor, older_than
from renderkiln.database.schema import projects, scenes
from renderkiln.domain.errors import UserError
from renderkiln.domain.report import iso

_NUMBER = (
    sa.select(sa.func.count()).where(scenes.c.project_id == projects.c.id).scalar_subquery().label("scenes")
)
_SELECT = sa.select(projects, _NUMBER)


class NoProject(UserError):
    """There is no such project, or it is another account's."""


class StaleRevision(UserError):
    """Somebody else changed the project meanwhile; nothing was changed."""


@dataclass(frozen=True)
class NewProject:
    """A project to be stored. Relative paths in its `document`, which has no scenes, count from `folder`.

    A document without `folder` came over HTTP, and names assets and URLs only.
    """

    id: str
    name: str
    folder: Path | None  # absolute
    document: Mapping[str, Any]
    created_at: datetime  # aware
    account: str


@dataclass(frozen=True)
class StoredProject(NewProject):
    """A project as it stands. `scenes`: how many it has; `revision`: from 1, one higher with each change."""

    revision: int
    updated_at: datetime
    scenes: int

    def to_json(self) -> dict[str, Any]:
        """All but the document."""
        return {
            "id": self.id,
            "name": self.name,
            "folder": None if self.folder is None else str(self.folder),
            "scenes": self.scenes,
            "revision": self.revision,
            "createdAt": iso(self.created_at),
            "updatedAt": iso(self.updated_at),
        }


def insert(connection: sa.Connection, project: NewProject) -> None:
    """Store a project at revision 1."""
    row = asdict(project) | {"folder": str(project.folder or ""), "document": dict(project.document)}
    connection.execute(sa.insert(projects).values(**row, revision=1, updated_at=project.created_at))


def find(connection: sa.Connection, id: str) -> StoredProject | None:
    """The project, if there is one."""
    found = _stored(connection, _SELECT.where(projects.c.id == id))
    return found[0] if found else None


def page(
    connection: sa.Connection, *, account: str | None = None, before: Cursor | None = None, limit: int = 100
) -> list[StoredProject]:
    """The newest projects first, those older than `before`; of all accounts if none is named."""
    query = _SELECT.order_by(projects.c.created_at.desc(), projects.c.id.desc()).limit(limit)
    if account is not None:
        query = query.where(projects.c.account == account)
    if before is not None:
        query = query.where(older_than(before, projects))
    return _stored(connection, query)


def change_if_at(
    connection: sa.Connection, id: str, revision: int | None, now: datetime, **values: Any
) -> StoredProject:
    """Change columns of the project, or with no `values` only its revision; the project as it then stands.

    Raises NoProject where there is none, StaleRevision where it is not at `revision` (None: at any).
    """
    changed = sa.update(projects).where(projects.c.id == id)
    if revision is not None:
        changed = changed.where(projects.c.revision == revision)
    done = connection.execute(changed.values(**values, revision=projects.c.revision + 1, updated_at=now))
    found = find(connection, id)
    if found is None:
        raise missing(id)
    if done.rowcount == 0:
        raise StaleRevision(
            f"project {id} is at revision {found.revision}, not {revision}: somebody has changed it "
            "meanwhile. Nothing was changed: look at it again"
        )
    return found


def delete(connection: sa.Connection, id: str) -> None:
    """Forget the project and its scenes."""
    connection.execute(sa.delete(projects).where(projects.c.id == id))


def read_as_one(connection: sa.Connection) -> None:
    """All that this transaction reads stands as at one moment. To be called first; on SQLite it is so anyway.

    A project and its scenes are two queries, and somebody may change both between them.
    """
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def missing(id: str) -> NoProject:
    """The error that says there is no such project."""
    return NoProject(f"there is no project {id!r}: `renderkiln projects list` shows those there are")


def _stored(connection: sa.Connection, query: sa.Select[Any]) -> list[StoredProject]:
    return [
        StoredProject(**{**row._mapping, "folder": Path(row.folder) if row.folder else None})
        for row in connection.execute(query)
    ]
