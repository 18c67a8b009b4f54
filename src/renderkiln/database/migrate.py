"""Runs the migrations. Apart from the engine, because Alembic is slow to import."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import ResolutionError
from alembic.util import CommandError

from renderkiln.database import workers
from renderkiln.database.schema import VERSION_TABLE, metadata
from renderkiln.domain.errors import UserError

if TYPE_CHECKING:
    from renderkiln.database.engine import Database


_log = logging.getLogger(__name__)

# As every revision has it.
_WORKERS = sa.table("kiln_workers", *(sa.column(each, sa.String) for each in ("id", "name", "host")))
_LISTED = sa.select(_WORKERS)
_SILENCE = 10.0  # seconds without a beat: then a worker on the list is dead
_LOOK = 0.2  # seconds between two looks at beats


def scripts(folder: Path | None = None) -> ScriptDirectory:
    """All migrations."""
    config = Config()
    place = folder or Path(__file__).with_name("migrations")
    config.set_main_option("script_location", str(place).replace("%", "%%"))
    return ScriptDirectory.from_config(config)


def migrate(
    database: Database, directory: ScriptDirectory | None = None, *, silence: float = _SILENCE
) -> None:
    """Bring the schema to the newest revision, in one transaction.

    A migration only adds, so that workers of the older version go on, unless it says `stops_older = True`:
    then it is refused while one lives. Raises UserError for that, and for a newer schema.
    """
    directory = directory or scripts()

    def steps(revision: Any, _context: object) -> list[Any]:
        return list(
            directory._upgrade_revs("head", revision)
        )  # what `alembic upgrade` calls; nothing public does

    context = EnvironmentContext(Config(), directory, fn=steps)
    try:
        _look_at_workers(database, directory, silence)
        with database.engine.begin() as connection, context:
            context.configure(
                connection=connection,
                target_metadata=metadata,
                version_table=VERSION_TABLE,
                transactional_ddl=True,  # ours begin with BEGIN IMMEDIATE, so that holds on SQLite too
            )
            with context.begin_transaction():
                context.run_migrations()
    except (CommandError, ResolutionError):
        raise UserError(
            "the database was written by a newer Renderkiln: install that version, or use another database"
        ) from None


def _look_at_workers(database: Database, directory: ScriptDirectory, silence: float) -> None:
    """Warn of those that began under the older schema, or refuse what they could not live with."""
    with database.read() as connection:
        known = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        revision = known.get_current_revision()
        if revision is None:  # it is new
            return
        pending = list(directory.iterate_revisions("head", revision))
        listed = {row.id: f"{row.name} on {row.host}" for row in connection.execute(_LISTED)}
    if not listed or not pending:
        return
    breaking = [each.revision for each in pending if getattr(each.module, "stops_older", False)]
    if not breaking:
        _log.warning(
            "%s goes from revision %s to %s. Workers of the older version may go on, until replaced: %s",
            database.shown,
            revision,
            directory.get_current_head(),
            ", ".join(listed.values()),
        )
    elif living := _living(database, silence):
        names = ", ".join(listed.get(each, each) for each in sorted(living))
        raise UserError(
            f"{database.shown} cannot be brought to revision {breaking[-1]} while workers of an older "
            f"version run ({names}): stop them first (SIGTERM), and do this again"
        )


def _living(database: Database, silence: float) -> set[str]:
    """Those whose beat moves: as soon as there is one, or after `silence` seconds."""
    with database.read() as connection:
        first = workers.beats(connection)
    deadline = time.monotonic() + silence
    while time.monotonic() < deadline:
        time.sleep(_LOOK)
        with database.read() as connection:
            now = workers.beats(connection)
        if moved := {id for id, beat in now.items() if first.get(id) != beat}:
            return moved
    return set()
