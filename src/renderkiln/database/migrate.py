"""Runs the migrations. Apart from the engine, because Alembic is slow to import."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.script.revision import ResolutionError
from alembic.util import CommandError

from renderkiln.database.schema import VERSION_TABLE, metadata
from renderkiln.domain.errors import UserError


def scripts() -> ScriptDirectory:
    """All migrations."""
    config = Config()
    folder = Path(__file__).with_name("migrations")
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return ScriptDirectory.from_config(config)


def migrate(engine: sa.Engine) -> None:
    """Bring the schema to the newest revision, in one transaction. Raises UserError for a newer one."""
    directory = scripts()

    def steps(revision: Any, _context: object) -> list[Any]:
        return list(
            directory._upgrade_revs("head", revision)
        )  # what `alembic upgrade` calls; nothing public does

    context = EnvironmentContext(Config(), directory, fn=steps)
    try:
        with engine.begin() as connection, context:
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
