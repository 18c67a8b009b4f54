"""The database through the command line: kept, backed up, brought back, and clearly refused."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from databases import Postgres, postgres
from renderkiln.app import Renderkiln
from renderkiln.domain.job import Job
from renderkiln.engine.submission import Submission
from renderkiln.settings import Settings
from waiting import until

from .conftest import Command
from .test_render import MAY_MOUNT, MOUNTS

__all__ = ["postgres"]

LOOK = {"format": "preview", "quality": "draft", "template": "waveform"}
WORKER = """
import signal, sys
from pathlib import Path
from renderkiln.app import Renderkiln
from renderkiln.settings import Settings

with Renderkiln.open(Settings(home=Path(sys.argv[1]), video_rendering=1, poll_interval=0.05)) as kiln:
    worker = kiln.room.worker(name="w", beat=0.2, silence=1.5)
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    worker.run()
"""

FILL = """
import sys
import sqlalchemy as sa
from renderkiln.app import Renderkiln
from renderkiln.database import schema
from renderkiln.domain.clock import SystemClock
from renderkiln.settings import Settings

event = {"at": SystemClock().now(), "name": "job.progress", "message": "x" * 500, "facts": {}}
with Renderkiln(Settings.load()) as kiln:
    try:
        while True:
            with kiln.room.database.write() as connection:
                connection.execute(sa.insert(schema.events), [event] * 20)
    except sa.exc.OperationalError as error:
        sys.exit(f"filled: {error.orig}")
"""


@pytest.fixture
def worker(renderkiln: Command) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Start a worker for the home of the command."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", WORKER, str(renderkiln.home)])
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def jobs_by_state(renderkiln: Command) -> dict[str, int]:
    ended = renderkiln("db", "show", "-o", "json")
    assert ended.returncode == 0, ended.stderr
    return {state: number for state, number in json.loads(ended.stdout)["jobs"].items() if number}


def submit(renderkiln: Command, *names: str) -> None:
    """Queue a film for each song."""
    with Renderkiln(Settings(home=renderkiln.home)) as kiln:
        batch = kiln.new_batch()

        def job(name: str) -> Job:
            song = renderkiln.song(name)
            return kiln.job("visualizer", song, LOOK, batch_id=batch, item_id=name, format="preview")

        jobs = [job(name) for name in names]
        kiln.room.submit(Submission(batch, jobs, renderkiln.out))


def films(renderkiln: Command) -> list[str]:
    """The names of all finished films, without their date."""
    return [Path(name).stem[9:] for name in renderkiln.delivered() if name.endswith(".mp4")]


def is_sound(database: Path) -> bool:
    with closing(sqlite3.connect(database)) as connection:
        return bool(connection.execute("PRAGMA integrity_check").fetchone() == ("ok",))


def change(database: Path, statement: str) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(statement)


def test_a_database_is_made_shown_and_cleaned(renderkiln: Command) -> None:
    shown = json.loads(renderkiln("db", "show", "-o", "json").stdout)
    assert (shown["revision"], shown["jobs"]) == (None, {})
    ended = renderkiln("db", "backup", "kept.db")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "no database" in ended.stderr
    assert not renderkiln.home.exists()  # looking makes nothing
    made, again = renderkiln("db", "upgrade"), renderkiln("db", "upgrade")
    assert (made.returncode, again.returncode) == (0, 0)
    assert "made, at revision" in made.stderr
    assert "up to date, at revision" in again.stderr
    submit(renderkiln, "song.wav")
    assert jobs_by_state(renderkiln) == {"pending": 1}
    assert "pending" in renderkiln("db", "show").stdout
    cleaned = renderkiln("db", "clean", "-o", "json")
    assert json.loads(cleaned.stdout)["jobs"] == 0
    assert "disk given back" in renderkiln("db", "clean").stderr
    assert jobs_by_state(renderkiln) == {"pending": 1}


def test_a_backup_of_a_running_room_comes_back_and_drains(
    renderkiln: Command, worker: Callable[[], subprocess.Popen[bytes]]
) -> None:
    submit(renderkiln, "a.wav", "b.wav")
    running = worker()
    until(lambda: jobs_by_state(renderkiln).get("processing"))
    ended = renderkiln("db", "backup", "kept.db")
    assert ended.returncode == 0, ended.stderr
    assert is_sound(renderkiln.folder / "kept.db")
    in_use = renderkiln("db", "restore", "kept.db")
    assert in_use.returncode == 1
    assert "in use: stop every Renderkiln process first" in in_use.stderr
    until(lambda: jobs_by_state(renderkiln) == {"completed": 2})
    running.send_signal(signal.SIGTERM)
    running.wait()
    assert films(renderkiln) == ["a_preview_v1", "b_preview_v1"]
    restored = renderkiln("db", "restore", "kept.db")
    assert restored.returncode == 0, restored.stderr
    assert jobs_by_state(renderkiln) == {"pending": 1, "processing": 1}
    assert (renderkiln.home / "renderkiln.db.before-restore").exists()
    worker()
    until(lambda: jobs_by_state(renderkiln) == {"completed": 2})
    # Of what happened after the backup the database knows nothing. No file is overwritten.
    assert films(renderkiln) == ["a_preview_v1", "a_preview_v2", "b_preview_v1", "b_preview_v2"]


def test_what_is_no_backup_is_not_restored(renderkiln: Command) -> None:
    renderkiln("db", "upgrade")
    (renderkiln.folder / "garbage").write_bytes(b"garbage" * 1000)
    newer = renderkiln.folder / "newer.db"
    renderkiln("db", "backup", newer)
    change(newer, "UPDATE kiln_version SET version_num = 'v9999'")
    with closing(sqlite3.connect(renderkiln.folder / "other.db")) as other:
        other.execute("CREATE TABLE a (b)")
    for name, words in [
        ("garbage", "is no backup"),
        ("missing", "there is no backup"),
        ("other.db", "no Renderkiln database"),
        ("newer.db", "written by a newer Renderkiln"),
    ]:
        ended = renderkiln("db", "restore", name)
        assert ended.returncode == 1
        (line,) = ended.stderr.splitlines()
        assert words in line
    assert jobs_by_state(renderkiln) == {}


@pytest.mark.parametrize("command", ["show", "upgrade", "clean"])
def test_a_database_of_a_newer_version_is_refused(renderkiln: Command, command: str) -> None:
    renderkiln("db", "upgrade")
    change(renderkiln.home / "renderkiln.db", "UPDATE kiln_version SET version_num = 'v9999'")
    refused(renderkiln("db", command), "written by a newer Renderkiln", "v9999", "install that version")


@pytest.mark.parametrize("command", ["show", "upgrade", "clean"])
def test_a_file_that_is_no_database_is_refused(renderkiln: Command, command: str) -> None:
    renderkiln.home.mkdir()
    (renderkiln.home / "renderkiln.db").write_bytes(b"something else entirely\n" * 100)
    refused(renderkiln("db", command), "file is not a database")
    assert (renderkiln.home / "renderkiln.db").read_bytes().startswith(b"something else")


@pytest.mark.parametrize("command", ["upgrade", "clean"])
def test_a_home_that_is_read_only_is_named(renderkiln: Command, command: str) -> None:
    renderkiln("db", "upgrade")
    files = [*renderkiln.home.iterdir(), renderkiln.home]
    for path in files:
        path.chmod(0o555)
    try:
        refused(renderkiln("db", command, humble=True), "Permission denied", str(renderkiln.home))
        (renderkiln.home / "renderkiln.db").unlink()
        refused(renderkiln("db", command, humble=True), "Permission denied", str(renderkiln.home))
    finally:
        renderkiln.home.chmod(0o755)


@pytest.mark.skipif(not MAY_MOUNT, reason="this machine lets nobody mount a small disk of their own")
def test_a_full_disk_leaves_the_database_whole(renderkiln: Command) -> None:
    small = renderkiln.folder / "small"
    small.mkdir()
    script = f"""
    mount -t tmpfs -o size=2m none {small} && export RENDERKILN_HOME={small}/home && python={sys.executable}
    $python -m renderkiln db upgrade || exit 9
    mkdir {small}/home/cache && head -c 100000 /dev/zero > {small}/home/cache/old
    touch -d '2 days ago' {small}/home/cache/old
    head -c 9000000 /dev/zero > {small}/filler 2>/dev/null
    $python -c "$0"; echo "filled: $?"
    $python -m renderkiln db backup {small}/kept.db; echo "backup: $?"
    RENDERKILN_CACHE_SIZE=0 $python -m renderkiln db clean -o json; echo "clean: $?"
    $python -m renderkiln db show >/dev/null; echo "show: $?"
    rm -f {small}/home/renderkiln.db-shm
    cp {small}/home/renderkiln.db* {renderkiln.folder}
    """
    ended = subprocess.run(
        [*MOUNTS, script, FILL],
        cwd=renderkiln.folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    lines = ended.stdout.splitlines()
    assert {"filled: 1", "backup: 1", "clean: 0", "show: 0"} <= set(lines), ended.stdout + ended.stderr
    assert "filled: database or disk is full" in ended.stderr
    assert "kept.db cannot be written: database or disk is full" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert is_sound(renderkiln.folder / "renderkiln.db")


def test_a_database_that_cannot_be_reached(renderkiln: Command) -> None:
    away = {"RENDERKILN_DATABASE": "postgresql://me:secret@127.0.0.1:1/films"}
    for command in ("show", "upgrade", "clean"):
        line = refused(renderkiln("db", command, env=away), "films on 127.0.0.1:1", "Connection refused")
        assert "secret" not in line
    doctor = renderkiln("doctor", "-o", "json", env=away)
    assert doctor.returncode == 1
    (wrong,) = (check for check in json.loads(doctor.stdout) if check["state"] == "broken")
    assert wrong["name"] == "Database"
    assert "Connection refused" in wrong["found"]
    assert "RENDERKILN_DATABASE" in wrong["mend"]


def test_doctor_shows_disk_use_and_makes_no_database(renderkiln: Command) -> None:
    before = checks(renderkiln)
    assert before["Database"]["state"] == "note"
    assert "will be made" in before["Database"]["found"]
    assert not (renderkiln.home / "renderkiln.db").exists()
    renderkiln("db", "upgrade")
    (renderkiln.home / "work").mkdir()
    (renderkiln.home / "work" / "film.mkv").write_bytes(bytes(2_500_000))
    after = checks(renderkiln)
    assert after["Database"]["state"] == "fine"
    assert "work 2.5 MB" in after["Disk use"]["found"]
    change(renderkiln.home / "renderkiln.db", "UPDATE kiln_version SET version_num = 'v9999'")
    newer = checks(renderkiln)
    assert newer["Database"]["state"] == "broken"
    assert "newer Renderkiln" in newer["Database"]["found"]
    assert newer["Database"]["mend"]


def test_postgres_through_the_same_commands(renderkiln: Command, postgres: Postgres) -> None:
    url = postgres.create("commands")
    there = {"RENDERKILN_DATABASE": url}
    assert "made, at revision" in renderkiln("db", "upgrade", env=there).stderr
    shown = json.loads(renderkiln("db", "show", "-o", "json", env=there).stdout)
    assert shown["revision"] == shown["newest"]
    assert shown["bytes"]["database"] > 1_000_000
    assert renderkiln("db", "clean", env=there).returncode == 0
    refused(renderkiln("db", "backup", "kept.db", env=there), "pg_dump")
    refused(renderkiln("db", "restore", "kept.db", env=there), "pg_restore")
    missing = {"RENDERKILN_DATABASE": postgres.url("nowhere")}
    refused(renderkiln("db", "upgrade", env=missing), '"nowhere" does not exist')
    postgres.drop(url)


def test_a_wrong_password_is_said_and_not_shown(renderkiln: Command, postgres: Postgres) -> None:
    rules = postgres.folder / "data" / "pg_hba.conf"
    rules.write_text(f"local all guest scram-sha-256\n{rules.read_text()}")
    with psycopg.connect(postgres.url("postgres", driver="postgresql"), autocommit=True) as connection:
        connection.execute("CREATE ROLE guest LOGIN PASSWORD 'right'")
        connection.execute("SELECT pg_reload_conf()")
    url = sa.make_url(postgres.url("template")).set(username="guest", password="hunter2")
    wrong = {"RENDERKILN_DATABASE": url.render_as_string(hide_password=False)}
    line = refused(renderkiln("db", "show", env=wrong), "password authentication failed")
    assert "hunter2" not in line


def refused(ended: subprocess.CompletedProcess[str], *words: str) -> str:
    """The one line that it said."""
    assert ended.returncode == 1, ended.stderr
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert all(word in line for word in words), line
    return line


def checks(renderkiln: Command) -> dict[str, dict[str, str]]:
    return {check["name"]: check for check in json.loads(renderkiln("doctor", "-o", "json").stdout)}
