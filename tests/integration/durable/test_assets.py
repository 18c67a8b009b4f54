"""Assets where jobs run: several may need the same one at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from renderkiln.database.engine import Database
from renderkiln.domain.clock import SystemClock
from renderkiln.engine.assets import Assets
from renderkiln.pipelines.contract import Limits
from renderkiln.storage.errors import Missing
from renderkiln.storage.local import LocalStorage
from renderkiln.storage.stored import Stored

CAPTIONS = "1\n00:00:00,000 --> 00:00:01,000\nHello\n"
pytestmark = pytest.mark.integration


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


class Overtaken(LocalStorage):
    """Another job is always quicker by a moment."""

    def link(self, key: str, target: Path) -> Stored:
        super().link(key, target)
        return super().link(key, target)


def test_an_asset_that_two_jobs_bring_at_once_is_there_for_both(database: Database, tmp_path: Path) -> None:
    given = tmp_path / "a.srt"
    given.write_text(CAPTIONS)
    assets = Assets(database, SystemClock(), Overtaken(tmp_path / "storage"), tmp_path / "cache", Limits())
    added = assets.add(given, "a.srt", "me")
    brought = assets.bring(f"asset:{added.id}", stop=threading.Event(), tell=lambda _: None)
    assert brought.path.read_text() == CAPTIONS
    brought.path.unlink()
    assets.storage.delete(added.storage_key)
    with pytest.raises(Missing):
        assets.bring(f"asset:{added.id}", stop=threading.Event(), tell=lambda _: None)
