"""Every test here that takes `database` runs on SQLite and on Postgres."""

from databases import database, database_url, postgres, sqlite_template

__all__ = ["database", "database_url", "postgres", "sqlite_template"]
