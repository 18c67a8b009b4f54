"""A SQLite database as a file that is copied out and put back in."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from renderkiln.database.schema import VERSION_TABLE
from renderkiln.domain.errors import UserError

_COMPANIONS = ("", "-wal", "-shm")  # what belongs to a database file


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Be the only process that prepares or replaces the database at `path`.

    Raises BlockingIOError where another one is at it and `wait` is false.
    """
    with path.with_name(f"{path.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield


def copy_out(path: Path, target: Path) -> None:
    """Copy the database at `path`, while it is in use, to the new file `target`. Raises UserError."""
    if target.exists():
        raise UserError(f"{target} exists already: name a new file for the backup")
    try:
        with closing(sqlite3.connect(_uri(path, "ro"), uri=True)) as source:
            _copy(source, target)
    except (OSError, sqlite3.Error) as error:
        raise UserError(f"the backup {target} cannot be written: {error}") from None


def put_in(source: Path, path: Path) -> None:
    """Put the backup `source` in the place of the database at `path`. Raises UserError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path, wait=False), closing(_sound(source)) as backup:
            _refuse_in_use(path)
            _set_aside(path)
            _copy(backup, path)
    except BlockingIOError:
        raise _in_use(path) from None
    except (OSError, sqlite3.Error) as error:
        raise UserError(f"the backup {source} cannot be restored to {path}: {error}") from None


def _sound(source: Path) -> sqlite3.Connection:
    """The backup, opened. Raises UserError unless it is whole and one of ours."""
    if not source.is_file():
        raise UserError(f"there is no backup {source}")
    connection = sqlite3.connect(_uri(source, "ro"), uri=True)
    try:
        whole = connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        ours = connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (VERSION_TABLE,)).fetchone()
    except sqlite3.DatabaseError as error:
        connection.close()
        raise UserError(f"{source} is no backup of a Renderkiln database: {error}") from None
    if not whole or ours is None:
        connection.close()
        what = "is no Renderkiln database" if whole else "is damaged"
        raise UserError(f"{source} {what}: nothing was restored")
    return connection


def _refuse_in_use(path: Path) -> None:
    """Raise UserError if any process has the database open."""
    if not path.exists():
        return
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        try:
            # Only who is alone can leave the write-ahead log; that also puts all of it into the one file.
            connection.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise _in_use(path) from None
            raise
        except sqlite3.DatabaseError:
            return  # not a database: what a backup is restored for


def _in_use(path: Path) -> UserError:
    return UserError(f"{path} is in use: stop every Renderkiln process first, then restore")


def _set_aside(path: Path) -> None:
    kept = path.with_name(f"{path.name}.before-restore")
    if path.exists() and kept.exists():
        raise UserError(f"{kept} of an earlier restore is still there: move it away first")
    for companion in _COMPANIONS:
        file = Path(f"{path}{companion}")
        if file.exists():
            file.rename(f"{kept}{companion}")


def _copy(source: sqlite3.Connection, target: Path) -> None:
    """`target` appears whole and synced, or not at all."""
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(part)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.rename(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _uri(path: Path, mode: str) -> str:
    return f"{path.absolute().as_uri()}?mode={mode}"
