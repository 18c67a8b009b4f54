"""`renderkiln db`: the database, and the disk it shares with everything else."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from renderkiln.cli.options import FILE
from renderkiln.cli.words import put_json, put_table, say, size
from renderkiln.domain.errors import UserError

if TYPE_CHECKING:
    from renderkiln.database.condition import Condition
    from renderkiln.domain.states import JobState
    from renderkiln.settings import Settings

_shape = click.option(
    "-o", "--output", "shape", type=click.Choice(["json", "table"]), default="table", help="How to print it."
)


@click.group("db")
def db() -> None:
    """Look after the database of jobs and what lies beside it on the disk."""


@db.command("show")
@_shape
def show(shape: str) -> None:
    """Print where the database is, its revision, its jobs by state, and how much room everything takes."""
    from renderkiln.database.schema import REVISION
    from renderkiln.engine.diskusage import usage

    settings, address = _settings()
    found = _looked(address)
    jobs = _jobs_of(found, address)
    taken = asdict(usage(settings.home, found.size))
    if shape == "json":
        facts = {"database": found.shown, "revision": found.revision, "newest": REVISION}
        put_json({**facts, "jobs": jobs, "bytes": taken})
        return
    rows: dict[str, Any] = {
        "database": found.shown if found.exists else f"{found.shown} (not made yet)",
        "revision": found.revision or "none yet",
        **{f"jobs {state}": number for state, number in jobs.items()},
        **{f"bytes {name}": size(each) for name, each in taken.items()},
    }
    put_table([{"what": what, "how it stands": value} for what, value in rows.items()])


@db.command("upgrade")
def upgrade() -> None:
    """Bring the database up to date, making it if it is missing. What is in it stays."""
    from renderkiln.app import Renderkiln
    from renderkiln.database.condition import look
    from renderkiln.database.trouble import explained

    settings, address = _settings()
    before = _looked(address)
    with Renderkiln(settings) as kiln, explained(address):
        kiln.room.tickets  # noqa: B018  whoever opens it brings it up to date
    after = look(address)
    if before.revision is None:
        say(f"{after.shown}: made, at revision {after.revision}")
    elif before.revision != after.revision:
        say(f"{after.shown}: brought from revision {before.revision} to {after.revision}")
    else:
        say(f"{after.shown}: up to date, at revision {after.revision}")


@db.command("backup")
@click.argument("target", metavar="FILE", type=FILE)
def backup(target: Path) -> None:
    """Copy the database to the new file FILE, while it may be in use. SQLite only: Postgres has pg_dump."""
    from renderkiln.database.condition import look
    from renderkiln.database.engine import Database
    from renderkiln.database.engine import backup as copy_out

    _, address = _settings()
    found = look(address)
    if not found.exists:
        raise UserError(f"there is no database {found.shown} yet: nothing to back up")
    with closing(Database(address)) as database:
        copy_out(database, target)
    say(f"{target}: {size(target.stat().st_size)}, a backup of {found.shown}")


@db.command("restore")
@click.argument("source", metavar="FILE", type=FILE)
def restore(source: Path) -> None:
    """Put the backup FILE in the place of the database, which is kept beside it as `.before-restore`.

    Refused while any Renderkiln process uses the database.
    """
    from renderkiln.database.condition import refuse_newer_backup
    from renderkiln.database.engine import Database
    from renderkiln.database.engine import restore as put_in

    _, address = _settings()
    with closing(Database(address)) as database:
        if database.is_sqlite:
            refuse_newer_backup(source)
        put_in(source, database)
    say(f"{database.shown}: restored from {source}")


@db.command("clean")
@_shape
def clean(shape: str) -> None:
    """Forget what is older than it is kept, now: a worker does so every hour. Finished films stay."""
    from renderkiln.app import Renderkiln
    from renderkiln.database.trouble import explained

    settings, address = _settings()
    _looked(address)
    with Renderkiln(settings) as kiln, explained(address):
        swept = asdict(kiln.room.retention.sweep())
    if shape == "json":
        put_json(swept)
        return
    freed = swept.pop("bytes")
    put_table([{"what": what, "gone": number} for what, number in swept.items()])
    say(f"{size(freed)} of disk given back")


def _settings() -> tuple[Settings, str]:
    """The settings, and the URL of the database they name."""
    from renderkiln.database.condition import address_of
    from renderkiln.settings import Settings

    settings = Settings.load()
    return settings, address_of(settings.database, settings.home)


def _looked(address: str) -> Condition:
    """How the database stands. Raises UserError for one of a newer version."""
    from renderkiln.database.condition import look

    found = look(address)
    found.refuse_newer()
    return found


def _jobs_of(found: Condition, address: str) -> dict[JobState, int]:
    from renderkiln.database.condition import job_counts
    from renderkiln.database.engine import Database
    from renderkiln.database.schema import REVISION
    from renderkiln.database.trouble import explained

    if found.revision != REVISION:  # our tables are not there, or not as this version knows them
        return {}
    with explained(address), closing(Database(address)) as database:
        return job_counts(database)
