"""Addresses of databases, as people write them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from renderkiln.database.engine import Database, default_url
from renderkiln.database.url import parse, shown
from renderkiln.domain.errors import UsageError


@pytest.mark.parametrize(
    "text",
    [
        "",
        "renderkiln.db",
        "://",
        "postgresql://user:s3cret@host:port/name",
        "mysql://user:s3cret@host/name",
        "postgresql+asyncpg://user:s3cret@host/name",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:////tmp/a.db?mode=ro",
        "sqlite:///file:a.db",
        "sqlite://host/a.db",
    ],
)
def test_what_is_no_address_is_refused_in_one_line_without_a_password(text: str) -> None:
    with pytest.raises(UsageError, match="use sqlite:") as raised:
        parse(text)
    assert "\n" not in str(raised.value)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_postgres_is_spoken_to_with_psycopg_3(scheme: str) -> None:
    url = parse(f"{scheme}://user:s3cret@host:5433/name")
    assert url.render_as_string(hide_password=False) == "postgresql+psycopg://user:s3cret@host:5433/name"
    assert shown(url) == "name on host:5433"


def test_a_relative_file_is_taken_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    url = parse("sqlite:///here.db")
    monkeypatch.chdir("/")
    assert shown(url) == str(tmp_path / "here.db")


@pytest.mark.parametrize("name", ["plain", "50% of? it's #1 & é", "%41"])
def test_the_default_address_leads_home_whatever_its_name(tmp_path: Path, name: str) -> None:
    database = Database(default_url(tmp_path / name))
    assert database.path == tmp_path / name / "renderkiln.db"
    assert Database(database.url).path == database.path
    assert database.is_sqlite


def test_a_missing_driver_names_the_extra_that_brings_it() -> None:
    without = "import sys; sys.modules['psycopg'] = None\n"  # as if it were not installed
    code = f"{without}from renderkiln.database.engine import Database\nDatabase('postgresql://host/name')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "UserError: the driver for Postgres is missing or incomplete" in done.stderr
    assert "pip install 'renderkiln[postgres]'" in done.stderr
