"""A backup is taken while the database is in use, and comes back whole or not at all."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from databases import Postgres, a_job, add_batch, stored
from renderkiln.database.engine import Database, backup, default_url, restore, upgrade
from renderkiln.domain.errors import UserError


@pytest.fixture
def database(tmp_path: Path, sqlite_template: Path) -> Iterator[Database]:
    shutil.copy(sqlite_template, tmp_path / "renderkiln.db")
    opened = Database(default_url(tmp_path))
    yield opened
    opened.close()


def test_what_was_backed_up_comes_back(database: Database, tmp_path: Path) -> None:
    add_batch(database, a_job("b-1"))
    target = tmp_path / "kept # 100%?.db"
    with database.write() as connection:  # in use
        backup(database, target)
        connection.exec_driver_sql("UPDATE kiln_jobs SET label = 'changed since'")
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("kept")) == [target.name]
    restore(target, database)
    upgrade(database)
    assert stored(database, "b-1").report.job.label == ""
    replaced = tmp_path / "renderkiln.db.before-restore"
    with closing(sqlite3.connect(replaced)) as connection:
        assert connection.execute("SELECT label FROM kiln_jobs").fetchall() == [("changed since",)]


def test_a_backup_overwrites_nothing(database: Database, tmp_path: Path) -> None:
    target = tmp_path / "kept.db"
    target.write_text("mine")
    with pytest.raises(UserError, match="exists already"):
        backup(database, target)
    assert target.read_text() == "mine"


def test_a_backup_that_cannot_be_written_is_a_users_error(database: Database, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be written"):
        backup(database, tmp_path / "not there" / "kept.db")


def test_a_database_in_use_is_not_replaced(database: Database, tmp_path: Path) -> None:
    backup(database, tmp_path / "kept.db")
    other = Database(database.url)
    with other.read() as connection:
        connection.exec_driver_sql("SELECT * FROM kiln_jobs")
    with pytest.raises(UserError, match="in use: stop every Renderkiln process"):
        restore(tmp_path / "kept.db", database)
    other.close()
    restore(tmp_path / "kept.db", database)


def test_an_earlier_replaced_file_is_never_overwritten(database: Database, tmp_path: Path) -> None:
    backup(database, tmp_path / "kept.db")
    restore(tmp_path / "kept.db", database)
    with pytest.raises(UserError, match="move it away first"):
        restore(tmp_path / "kept.db", database)
    upgrade(database)


def test_only_a_whole_backup_of_ours_is_restored(database: Database, tmp_path: Path) -> None:
    add_batch(database, *(a_job(f"b-{number}", label="x" * 900) for number in range(50)))
    backup(database, tmp_path / "torn.db")
    whole = (tmp_path / "torn.db").read_bytes()
    (tmp_path / "torn.db").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "damaged.db").write_bytes(whole.replace(b"b-17", b"b-7!", 1))  # unlike its index
    (tmp_path / "garbage.db").write_bytes(b"garbage" * 1000)
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE a (b)")
    for name, why in [
        ("torn.db", "malformed"),
        ("damaged.db", "is damaged: nothing was restored"),
        ("garbage.db", "no backup of a Renderkiln database: file is not a database"),
        ("other.db", "no Renderkiln database"),
        ("nobody.db", "there is no backup"),
    ]:
        with pytest.raises(UserError, match=why):
            restore(tmp_path / name, database)
    assert stored(database, "b-7").report.state == "pending"


def test_a_backup_replaces_a_database_that_is_broken(database: Database, tmp_path: Path) -> None:
    add_batch(database, a_job("b-1"))
    backup(database, tmp_path / "kept.db")
    database.close()
    database.path.write_bytes(b"broken" * 1000)
    restore(tmp_path / "kept.db", database)
    upgrade(database)
    assert stored(database, "b-1").report.state == "pending"


def test_postgres_has_its_own_tools(postgres: Postgres, tmp_path: Path) -> None:
    database = Database(postgres.url("template"))
    with pytest.raises(UserError, match="pg_dump"):
        backup(database, tmp_path / "kept.db")
    with pytest.raises(UserError, match="pg_restore"):
        restore(tmp_path / "kept.db", database)
    database.close()
