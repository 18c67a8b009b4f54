"""The same server as in the tests of the API. Coverage, which would double the time, is not measured here."""

from integration.api.conftest import api, database_url, postgres, sqlite_template

__all__ = ["api", "database_url", "postgres", "sqlite_template"]
