"""The database: transactions on SQLite or Postgres, its schema brought up to date, its backup."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from renderkiln.database import sqlitefile, url
from renderkiln.database.schema import REVISION, VERSION_TABLE
from renderkiln.database.trouble import explained
from renderkiln.domain.errors import UserError

_PRAGMAS = ("busy_timeout = 30000", "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON")
_ADVISORY_LOCK = 0x6B696C6E  # any number, as long as it is ours: "kiln"
# Of libpq, in seconds but for the last. By default, whoever waits for an answer from a server whose cable was
# cut learns of it after a quarter of an hour, or two hours.
_PATIENCE = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
_IDLE = 1.0  # seconds
_ASKING = 0.05  # seconds
_HELD_LOCKS = 5  # seconds that a transaction may do nothing
_VERSION = sa.table(VERSION_TABLE, sa.column("version_num", sa.String))  # Alembic's


def default_url(home: Path) -> str:
    """The database of who has named none: a SQLite file in `home`."""
    return sa.URL.create("sqlite", database=str(home / "renderkiln.db")).render_as_string()


class Database:
    """A SQLite file or a Postgres database; threads may share it. Nothing is opened before the first use.

    Raises UsageError for what is no URL, UserError where the database cannot live or its driver is missing.
    `url` may hold a password: it is for connecting, not for showing.
    """

    def __init__(self, address: str) -> None:
        self._url = url.parse(address)
        if self.is_sqlite:
            url.prepare_file(self.path)
        self.engine = _engine(self._url)
        self._reading = self.engine.execution_options(**_reading(self.is_sqlite))

    @property
    def url(self) -> str:
        return self._url.render_as_string(hide_password=False)

    @property
    def shown(self) -> str:
        """Where it is, for messages."""
        return url.shown(self._url)

    @property
    def is_sqlite(self) -> bool:
        return self._url.get_backend_name() == "sqlite"

    @property
    def path(self) -> Path:
        """The file of a SQLite database."""
        return Path(str(self._url.database))

    def write(self) -> AbstractContextManager[sa.Connection]:
        """One write transaction; an exception rolls it back.

        READ COMMITTED is enough on Postgres, because every change is guarded by its own WHERE.
        """
        return self.engine.begin()

    def read(self) -> AbstractContextManager[sa.Connection]:
        """One read transaction; it blocks nobody, and on SQLite nobody blocks it."""
        return self._reading.begin()

    def close(self) -> None:
        self.engine.dispose()


def upgrade(database: Database) -> None:
    """Bring our tables up to date; several processes may come at once.

    Raises UserError where the database cannot be used: not reachable, not ours, or of a newer Renderkiln; and
    where older workers run that could not go on with what it would be then.
    """
    with explained(database.url):
        # The lock on SQLite comes first: two processes must not switch a new file to WAL at the same time.
        if not database.is_sqlite and _revision(database) == REVISION:
            return
        with alone(database):
            if _revision(database) != REVISION:
                from renderkiln.database.migrate import migrate  # Alembic takes 0.3 s to import

                migrate(database)


def backup(database: Database, target: Path) -> None:
    """Copy a SQLite database that may be in use to the new file `target`. Raises UserError."""
    if not database.is_sqlite:
        raise UserError("a Postgres database is backed up with its own tool: pg_dump")
    sqlitefile.copy_out(database.path, target)


def restore(source: Path, database: Database) -> None:
    """Put a backup in the place of the database; the replaced file is kept as `.before-restore`.

    Raises UserError, with nothing changed, for a backup that is not whole or a database that is in use.
    """
    if not database.is_sqlite:
        raise UserError("a Postgres database is restored with its own tool: pg_restore")
    database.close()
    sqlitefile.put_in(source, database.path)


def _engine(address: sa.URL) -> sa.Engine:
    # An error names its statement, and is logged: the values in it may be secrets.
    arguments: dict[str, Any] = {"pool_size": 10, "max_overflow": 20, "hide_parameters": True}
    if address.get_backend_name() == "sqlite":
        engine = sa.create_engine(address, **arguments)
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
        return engine
    arguments["connect_args"] = {
        name: value for name, value in _PATIENCE.items() if name not in address.query
    }
    try:
        engine = sa.create_engine(address, **arguments)
        sa.event.listen(engine, "connect", _prepare_postgres)
        _ask_the_idle(engine)
        return engine
    except ImportError:
        raise UserError(
            "the driver for Postgres is missing or incomplete: pip install 'renderkiln[postgres]'"
        ) from None


def _reading(is_sqlite: bool) -> dict[str, Any]:  # noqa: FBT001  private, and says it
    return {"kiln_reading": True} if is_sqlite else {"postgresql_readonly": True}


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # sqlite3 would begin transactions of its own, and the wrong kind
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _prepare_postgres(connection: Any, _record: object) -> None:
    # A process that is stopped, or whose machine is lost, in the middle of a write holds its job's row, and
    # whoever wants to take the job over would wait for that for ever.
    connection.execute(f"SET idle_in_transaction_session_timeout = '{_HELD_LOCKS}s'")
    connection.commit()


def _ask_the_idle(engine: sa.Engine) -> None:
    """Ask a connection that was not used for a moment whether its server is still there.

    A pool that asks each time (`pool_pre_ping`) pays one more round trip for every short transaction.
    """

    def checked_in(_connection: object, record: sa.pool.ConnectionPoolEntry) -> None:
        record.info["used"] = time.monotonic()

    def checked_out(connection: Any, record: sa.pool.ConnectionPoolEntry, _proxy: object) -> None:
        if time.monotonic() - record.info.get("used", time.monotonic()) < _IDLE:
            return
        try:
            engine.dialect.do_ping(connection)
        except Exception as error:
            raise sa.exc.DisconnectionError from error  # the pool drops it and gives another one

    sa.event.listen(engine, "checkin", checked_in)
    sa.event.listen(engine, "checkout", checked_out)


def _begin_sqlite(connection: sa.Connection) -> None:
    # After a plain BEGIN, who comes to write after another has written is told "database is locked" at once.
    reading = connection.get_execution_options().get("kiln_reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _revision(database: Database) -> str | None:
    """Which revision the database has; None for one that is new."""
    # Asked first: another process may make the table between a failed reading and the question why it failed.
    if not sa.inspect(database.engine).has_table(VERSION_TABLE):
        return None
    with database.read() as connection:
        return connection.scalar(sa.select(_VERSION.c.version_num))


@contextmanager
def alone(database: Database) -> Iterator[None]:
    """Hold the lock under which schemas are brought up to date."""
    if database.is_sqlite:
        with sqlitefile.locked(database.path):
            yield
        return
    # No transaction is open meanwhile: an index that is made CONCURRENTLY waits for all of them to end.
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # Asked again and again: a statement that waits here holds a snapshot, which such an index waits for.
        while not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(_ADVISORY_LOCK))):
            time.sleep(_ASKING)
        try:
            yield
        finally:
            connection.execute(sa.select(sa.func.pg_advisory_unlock(_ADVISORY_LOCK)))
