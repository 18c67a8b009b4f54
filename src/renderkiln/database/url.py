"""The address of a database, as a person wrote it."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from renderkiln.database.filesystem import network_file_system
from renderkiln.domain.errors import UsageError, UserError

_FORMS = "use sqlite:////absolute/path/renderkiln.db or postgresql://user:password@host/name"
_SQLITE = {"sqlite", "sqlite+pysqlite"}
_POSTGRES = {"postgresql", "postgres", "postgresql+psycopg"}


def parse(text: str) -> sa.URL:
    """The URL with the driver we use. Raises UsageError, with no password in it, for what is not one."""
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        raise UsageError(f"the database URL cannot be read: {_FORMS}") from None
    if url.drivername in _SQLITE:
        return _with_file(url)
    if url.drivername in _POSTGRES:
        return url.set(drivername="postgresql+psycopg")
    raise UsageError(f"databases of the kind {url.drivername!r} are not supported: {_FORMS}")


def shown(url: sa.URL) -> str:
    """The database for messages: where it is, and nothing secret."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    port = f":{url.port}" if url.port else ""
    return f"{url.database or 'postgres'} on {url.host or url.query.get('host', 'this machine')}{port}"


def prepare_file(path: Path) -> None:
    """Make the folder for a SQLite file. Raises UserError where the file could not live there."""
    kind = network_file_system(path.parent.resolve())
    if kind is not None:
        raise UserError(
            f"{path.parent} is on a network file system ({kind}), where SQLite's locks do not hold: "
            "use a folder on a local disk, or a Postgres database"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"the folder {path.parent} cannot be made: {error.strerror}") from None


def _with_file(url: sa.URL) -> sa.URL:
    if url.host or url.query or not url.database or url.database.startswith((":memory:", "file:")):
        raise UsageError(f"a SQLite database is one file, named without options: {_FORMS}")
    return url.set(drivername="sqlite", database=str(Path(url.database).absolute()))
