"""How a database stands, seen from outside: nothing is made, nothing is changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from renderkiln.database import jobs, url
from renderkiln.database.engine import Database
from renderkiln.database.schema import REVISION, VERSION_TABLE
from renderkiln.domain.errors import UserError
from renderkiln.domain.states import STATES, JobState

_COMPANIONS = ("", "-wal", "-shm")  # what belongs to a database file
_VERSION = sa.table(VERSION_TABLE, sa.column("version_num", sa.String))


@dataclass(frozen=True)
class Condition:
    """`revision` is None where our tables are not in it yet; `size` is in bytes."""

    shown: str  # where it is, and nothing secret
    exists: bool
    revision: str | None
    size: int

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


def look(address: str) -> Condition:
    """How the database at this URL stands.

    Raises UsageError for what is no URL, UserError where the database cannot be reached, read or live.
    """
    parsed = url.parse(address)
    shown = url.shown(parsed)
    if parsed.get_backend_name() != "sqlite":
        database = Database(address)
        with explained(shown):
            try:
                return Condition(shown, True, _revision(database.engine), size(database))
            finally:
                database.close()
    path = Path(str(parsed.database))
    if path.parent.exists():
        url.prepare_file(path)  # which refuses network folders
    if not path.exists():
        return Condition(shown, False, None, 0)
    with explained(shown, file=True):
        return Condition(shown, True, _revision(_looking_at(path)), _file_size(path))


def job_counts(database: Database) -> dict[JobState, int]:
    """How many jobs are in each state."""
    with database.read() as connection:
        by_queue = jobs.counts(connection).values()
    return {state: sum(counts.get(state, 0) for counts in by_queue) for state in STATES}


def size(database: Database) -> int:
    """Bytes on disk, or in the database of a server."""
    if database.is_sqlite:
        return _file_size(database.path)
    with database.read() as connection:
        of_all: int = connection.scalar(sa.text("SELECT pg_database_size(current_database())")) or 0
    return of_all


@contextmanager
def explained(shown: str, *, file: bool = False) -> Iterator[None]:
    """Turn what a database or the system says meanwhile into one line: UserError."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise _unusable(shown, str(error.orig), file=file) from None
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _unusable(shown, reason, file=file) from None


def _looking_at(path: Path) -> sa.Engine:
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


def _unusable(shown: str, reason: str, *, file: bool) -> UserError:
    first = (reason.strip().splitlines() or ["no reason given"])[0]
    where = "file and folder" if file else "address, name and password"
    return UserError(f"the database {shown} cannot be used: {first}. Check its {where}")
