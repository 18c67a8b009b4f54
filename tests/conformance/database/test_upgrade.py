"""A database is brought up to date once, and refused in plain words where it cannot be used."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations

from databases import BACKENDS, NOON, Postgres
from renderkiln.database import batches, events, projects, queues, workers
from renderkiln.database.engine import Database, default_url, upgrade
from renderkiln.database.migrate import migrate, scripts
from renderkiln.database.projects import NewProject
from renderkiln.database.schema import REVISION, VERSION_TABLE, metadata
from renderkiln.database.workers import NewWorker
from renderkiln.domain.clock import SystemClock
from renderkiln.domain.errors import UserError
from renderkiln.engine.heartbeat import Heartbeat, announce

UPGRADE = "import sys; from renderkiln.database.engine import *; upgrade(Database(sys.argv[1]))"

OLD_ROWS = (
    "INSERT INTO kiln_batches (id, created_at, label, metadata, rounds) "
    """VALUES ('b', '2026-01-27 12:00:00.000000{zone}', 'night', '{"order": 7}', 2)""",
    "INSERT INTO kiln_queues (name, paused) VALUES ('video', true)",
    "INSERT INTO kiln_events (at, name, message, facts) "
    """VALUES ('2026-01-27 12:00:00.000000{zone}', 'queue.paused', '', '{"queue": "video"}')""",
)

UPGRADE_ON_CALL = """
import sys
import alembic.config
from renderkiln.database.engine import *
for url in sys.argv[1:]:
    print("ready", flush=True)
    sys.stdin.readline()
    upgrade(Database(url))
"""


@pytest.fixture(params=BACKENDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        return server.create(f"empty-{tmp_path.name}")
    return default_url(tmp_path / "not" / "there yet")


@pytest.fixture
def empty(empty_url: str) -> Iterator[Database]:
    opened = Database(empty_url)
    yield opened
    opened.close()


def test_the_revision_named_in_the_schema_is_the_newest_migration() -> None:
    assert scripts().get_current_head() == REVISION


def test_a_new_database_gets_our_tables_and_keeps_those_of_others(empty: Database) -> None:
    with empty.write() as connection:
        connection.exec_driver_sql("CREATE TABLE workflow_status (id INTEGER)")
    upgrade(empty)
    upgrade(empty)
    assert set(sa.inspect(empty.engine).get_table_names()) == {
        *metadata.tables,
        VERSION_TABLE,
        "workflow_status",
    }


@pytest.mark.parametrize("backend", BACKENDS)
def test_several_processes_may_come_at_once(
    request: pytest.FixtureRequest, tmp_path: Path, backend: str
) -> None:
    server: Postgres | None = request.getfixturevalue("postgres") if backend == "postgres" else None
    urls = [server.create(f"shared{n}") if server else default_url(tmp_path / f"{n}") for n in range(4)]
    processes = [
        subprocess.Popen([sys.executable, "-c", UPGRADE_ON_CALL, *urls], stdin=PIPE, stdout=PIPE, text=True)
        for _ in range(4)
    ]
    for _ in urls:
        assert [process.stdout.readline() for process in processes if process.stdout] == ["ready\n"] * 4
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    for url in urls:
        database = Database(url)
        assert set(metadata.tables) <= set(sa.inspect(database.engine).get_table_names())
        database.close()


def test_what_an_older_version_has_stored_stays(empty: Database) -> None:
    with empty.write() as connection:
        older = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        with Operations.context(older):
            for script in reversed(list(scripts().iterate_revisions("v0002", "base"))):
                script.module.upgrade()
        older.stamp(scripts(), "v0002")
        for row in OLD_ROWS:
            connection.exec_driver_sql(row.replace("{zone}", "" if empty.is_sqlite else "+00"))
    assert "kiln_projects" not in sa.inspect(empty.engine).get_table_names()
    upgrade(empty)
    with empty.write() as connection:
        stored = batches.find(connection, "b")
        assert stored is not None
        assert (stored.label, stored.metadata, stored.rounds) == ("night", {"order": 7}, 2)
        assert queues.find(connection, "video").paused
        (event,) = events.after(connection, 0)
        assert (event.event.at, event.event.name) == (NOON, "queue.paused")
        projects.insert(connection, NewProject("prj_1", "Kite", Path("/films"), {"fps": 25}, NOON, ""))


def test_migrations_and_schema_are_the_same(empty: Database) -> None:
    upgrade(empty)
    with empty.read() as connection:
        options = {
            "version_table": VERSION_TABLE,
            "compare_type": True,
            "compare_server_default": True,
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_migrations_and_schema_have_the_same_checks(database: Database) -> None:
    fresh = {
        str(check.name)
        for check in metadata.tables["kiln_jobs"].constraints
        if isinstance(check, sa.CheckConstraint)
    }
    found = {check["name"] for check in sa.inspect(database.engine).get_check_constraints("kiln_jobs")}
    assert found == fresh  # alembic does not compare them


NEXT = """
import sqlalchemy as sa
from alembic import op
revision, down_revision, stops_older = "v9999", "{head}", {stops}
def upgrade():
    op.add_column("kiln_queues", sa.Column("colour", sa.String))
"""


@pytest.mark.parametrize("stops", [False, True])
def test_older_workers_go_on_unless_a_migration_says_that_they_cannot(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture, *, stops: bool
) -> None:
    ours, folder = scripts(), tmp_path / "migrations"
    shutil.copytree(ours.dir, folder)
    (folder / "versions" / "v9999.py").write_text(NEXT.format(head=REVISION, stops=stops))
    clock = SystemClock()

    def columns() -> set[str]:
        return {each["name"] for each in sa.inspect(database.engine).get_columns("kiln_queues")}

    with database.write() as connection:  # it was killed
        workers.register(connection, NewWorker("w0", "killed", "host", 1, (), 1, NOON))
    with Heartbeat(database, clock, announce(clock, name="living"), interval=0.05):
        if stops:
            with pytest.raises(
                UserError, match=r"v9999 while workers of an older version run \(living on .*\): stop"
            ):
                migrate(database, scripts(folder), silence=30)
            assert "colour" not in columns()
        else:
            migrate(database, scripts(folder))
            assert "Workers of the older version may go on" in caplog.text
    if stops:
        migrate(database, scripts(folder), silence=0.3)
    assert "colour" in columns()


def test_a_database_of_a_newer_version_is_refused(database: Database) -> None:
    with database.write() as connection:
        connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version_num = 'v9999'")
    with pytest.raises(UserError, match="was written by a newer Renderkiln: install that version"):
        upgrade(database)
    with database.read() as connection:
        assert connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalar() == "v9999"


def test_an_upgrade_with_nothing_to_do_does_not_load_alembic(database_url: str) -> None:
    code = f"{UPGRADE}; assert 'sqlalchemy' in sys.modules; assert 'alembic' not in sys.modules"
    subprocess.run([sys.executable, "-c", code, database_url], check=True)


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "renderkiln.db"
    file.write_bytes(b"something else entirely\n" * 100)
    with pytest.raises(UserError, match=r"renderkiln\.db cannot be used: file is not a database") as raised:
        upgrade(Database(default_url(tmp_path)))
    assert "\n" not in str(raised.value)
    assert file.read_bytes().startswith(b"something else")


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "renderkiln.db").mkdir()
    with pytest.raises(UserError, match="unable to open database file"):
        upgrade(Database(default_url(tmp_path)))


def test_a_home_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"the folder .*file/home cannot be made: Not a directory"):
        Database(default_url(tmp_path / "file" / "home"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="Permission denied"):
        upgrade(Database(default_url(tmp_path)))
    tmp_path.chmod(0o700)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://someone:s3cret@127.0.0.1:1/kiln",
        "postgresql://someone:s3cret@/kiln?host={folder}&password=s3cret",
    ],
)
def test_a_postgres_that_is_not_there_is_refused_without_its_password(tmp_path: Path, address: str) -> None:
    with pytest.raises(UserError, match=r"kiln on .* cannot be used: connection .*failed") as raised:
        upgrade(Database(address.format(folder=tmp_path)))
    assert "s3cret" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_postgres_database_that_is_not_there_is_refused(postgres: Postgres) -> None:
    with pytest.raises(UserError, match='database "nobody" does not exist'):
        upgrade(Database(postgres.url("nobody")))


def test_a_wrong_password_is_refused_without_showing_it(postgres: Postgres) -> None:
    rules = postgres.folder / "data" / "pg_hba.conf"
    kept = postgres.folder / "pg_hba.kept"
    shutil.copy(rules, kept)
    trust = rules.read_text()
    url = postgres.fresh()
    admin = Database(postgres.fresh())
    try:
        with admin.write() as connection:
            connection.exec_driver_sql("CREATE ROLE guarded LOGIN PASSWORD 'right'")
        rules.write_text(f"local all guarded scram-sha-256\n{trust}")
        with admin.write() as connection:
            connection.exec_driver_sql("SELECT pg_reload_conf()")
        with pytest.raises(UserError, match="password authentication failed") as raised:
            _until_guarded(url.replace("postgres@", "guarded:s3cret@"))
        assert "s3cret" not in str(raised.value)
    finally:
        rules.write_text(trust)
        with admin.write() as connection:
            connection.exec_driver_sql("DROP ROLE guarded")
            connection.exec_driver_sql("SELECT pg_reload_conf()")
        admin.close()


def test_a_home_with_any_name_is_found_again(tmp_path: Path) -> None:
    home = tmp_path / "50% of? it's #1 & é %41"
    database = Database(default_url(home))
    upgrade(database)
    database.close()
    assert (home / "renderkiln.db").exists()


def _until_guarded(url: str) -> None:
    """Try until the server has read its rules again; until then it lets everybody in."""
    for _ in range(1000):
        database = Database(url)
        try:
            upgrade(database)
        finally:
            database.close()
