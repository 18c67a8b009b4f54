"""How a database stands, seen from outside: nothing is made, nothing is changed."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from renderkiln.database import backlog, url
from renderkiln.database.engine import Database, default_url
from renderkiln.database.schema import REVISION, VERSION_TABLE
from renderkiln.database.trouble import explained
from renderkiln.domain.errors import UserError
from renderkiln.domain.states import STATES, JobState

_COMPANIONS = ("", "-wal", "-shm")  # what belongs to a database file
_VERSION = sa.table(VERSION_TABLE, sa.column("version_num", sa.String))


@dataclass(frozen=True)
class Condition:
    """`revision` is None where our tables are not in it yet; `size` is in bytes."""

    shown: str  # where it is, and nothing secret
    revision: str | None = None
    size: int = 0
    exists: bool = True

    @property
    def is_newer(self) -> bool:
        """Whether a newer Renderkiln wrote it."""
        return self.revision is not None and self.revision > REVISION

    def refuse_newer(self) -> None:
        """Raise UserError if a newer Renderkiln wrote it."""
        if self.is_newer:
            raise UserError(
                f"{self.shown} was written by a newer Renderkiln (revision {self.revision}, this one knows "
                f"{REVISION}): install that version, or use another database"
            )


def address_of(named: str | None, home: Path) -> str:
    """URL of the database that the settings have named, or else of the one in `home`."""
    return named or default_url(home.absolute())


def look(address: str) -> Condition:
    """How the database at this URL stands.

    Raises UsageError for what is no URL, UserError where the database cannot be reached, read or live.
    """
    parsed = url.parse(address)
    where = url.shown(parsed)
    with explained(address):
        if parsed.get_backend_name() == "sqlite":
            return _look_at_file(where, Path(str(parsed.database)))
        database = Database(address)
        try:
            return Condition(where, _revision(database.engine), size(database))
        finally:
            database.close()


def refuse_newer_backup(file: Path) -> None:
    """Raise UserError for a backup that a newer Renderkiln wrote; says nothing of what is no backup."""
    with suppress(sa.exc.DBAPIError):
        Condition(str(file), _revision(_reading(file))).refuse_newer()


def job_counts(database: Database) -> dict[JobState, int]:
    """How many jobs are in each state."""
    with database.read() as connection:
        by_queue = backlog.counts(connection).values()
    return {state: sum(counts.get(state, 0) for counts in by_queue) for state in STATES}


def size(database: Database) -> int:
    """Bytes on disk, or in the database of a server."""
    if database.is_sqlite:
        return _file_size(database.path)
    with database.read() as connection:
        of_all: int = connection.scalar(sa.text("SELECT pg_database_size(current_database())")) or 0
    return of_all


def _look_at_file(where: str, path: Path) -> Condition:
    if path.parent.exists():
        url.prepare_file(path)  # refuses a network folder
    if not path.exists():
        return Condition(where, exists=False)
    return Condition(where, _revision(_reading(path)), _file_size(path))


def _reading(path: Path) -> sa.Engine:
    uri = f"{path.absolute().as_uri()}?mode=ro"
    return sa.create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(uri, uri=True), poolclass=sa.pool.NullPool
    )


def _revision(engine: sa.Engine) -> str | None:
    if not sa.inspect(engine).has_table(VERSION_TABLE):
        return None
    with engine.connect() as connection:
        return connection.scalar(sa.select(_VERSION.c.version_num))


def _file_size(path: Path) -> int:
    files = (Path(f"{path}{companion}") for companion in _COMPANIONS)
    return sum(file.stat().st_size for file in files if file.exists())
