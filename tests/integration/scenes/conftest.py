from __future__ import annotations

from collections.abc import Iterator

import pytest

from integration.scenes.rig import Kiln
from renderkiln.app import Renderkiln
from renderkiln.settings import Settings


@pytest.fixture(scope="module")
def kiln(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kiln]:
    """One home and one folder of files for all tests of a module."""
    folder = tmp_path_factory.mktemp("films")
    with Renderkiln.open(Settings.load(home=folder / "home")) as opened:
        (folder / "project").mkdir()
        yield Kiln(opened, folder / "project")
