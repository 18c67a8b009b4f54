"""What an upload leaves in the storage that is killed, or too slow, before a row names it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from databases import rows
from renderkiln.database import assets, schema
from renderkiln.database.engine import Database
from renderkiln.domain.clock import SystemClock
from renderkiln.engine.assets import Assets
from renderkiln.engine.loose import LooseFiles
from renderkiln.pipelines.contract import Limits
from renderkiln.storage.errors import Unavailable
from renderkiln.storage.local import LocalStorage
from renderkiln.testing import FakeClock

pytestmark = pytest.mark.integration

DAY = 86_400.0
CAPTIONS = "1\n00:00:01,000 --> 00:00:02,000\nhello\n"
KILLED = """
import os, signal, sys
from pathlib import Path
from renderkiln.database.engine import Database
from renderkiln.domain.clock import SystemClock
from renderkiln.engine.assets import Assets
from renderkiln.pipelines.contract import Limits
from renderkiln.storage.local import LocalStorage

class Dying(LocalStorage):
    def put(self, *arguments, **options):
        super().put(*arguments, **options)
        os.kill(os.getpid(), signal.SIGKILL)

url, storage, file = sys.argv[1:]
assets = Assets(Database(url), SystemClock(), Dying(Path(storage)), Path(storage, "cache"), Limits())
assets.add(Path(file), "a.srt", "me")
"""


class Slow(LocalStorage):
    """Stores so slowly that the others give the upload up meanwhile."""

    def put(self, *arguments: Any, **options: Any) -> Any:
        stored = super().put(*arguments, **options)
        assert self.sweeping.sweep(DAY) == 1
        return stored

    sweeping: LooseFiles


@pytest.fixture
def database(database_url: str) -> Any:
    opened = Database(database_url)
    yield opened
    opened.close()


def captions(folder: Path) -> Path:
    path = folder / "captions.srt"
    path.write_text(CAPTIONS)
    return path


def stored(storage: LocalStorage) -> list[str]:
    return [each.key for each in storage.list("assets").items]


def later(days: float) -> FakeClock:
    return FakeClock(SystemClock().now() + timedelta(days=days))


def test_what_a_killed_upload_has_stored_goes_after_a_day(database: Database, tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path / "storage")
    environ: Mapping[str, str] = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    arguments = [database.url, str(tmp_path / "storage"), str(captions(tmp_path))]
    assert subprocess.run([sys.executable, "-c", KILLED, *arguments], env=environ, check=False).returncode < 0
    assert (len(stored(storage)), rows(database, schema.assets)) == (1, [])
    assert LooseFiles(database, SystemClock(), lambda: storage).sweep(DAY) == 0
    assert LooseFiles(database, later(2), lambda: storage).sweep(DAY) == 1
    assert (stored(storage), rows(database, schema.loose_files)) == ([], [])


def test_an_upload_that_is_given_up_while_it_goes_on_is_told_so(database: Database, tmp_path: Path) -> None:
    slow = Slow(tmp_path / "storage")
    slow.sweeping = LooseFiles(database, later(2), lambda: slow)
    with pytest.raises(Unavailable, match="upload it again"):
        Assets(database, SystemClock(), slow, tmp_path / "cache", Limits()).add(
            captions(tmp_path), "a.srt", "me"
        )
    assert (stored(slow), rows(database, schema.assets), rows(database, schema.loose_files)) == ([], [], [])


def test_what_is_named_stays_and_what_is_not_goes_at_once(database: Database, tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path / "storage")
    kept = Assets(database, SystemClock(), storage, tmp_path / "cache", Limits())
    first = kept.add(captions(tmp_path), "a.srt", "me")
    again = kept.add(captions(tmp_path), "a.srt", "me")
    assert (again.id, stored(storage)) == (first.id, [first.storage_key])
    assert LooseFiles(database, later(2), lambda: storage).sweep(DAY) == 0
    with database.read() as connection:
        assert assets.find(connection, first.id) == first
    kept.remove(first)
    assert (stored(storage), rows(database, schema.loose_files)) == ([], [])
