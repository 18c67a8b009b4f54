from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from integration.visualizer.rig import Kiln, pulses, write_wav
from renderkiln.app import Renderkiln
from renderkiln.media.ffmpeg import binary
from renderkiln.media.ffmpeg.command import Command
from renderkiln.media.ffmpeg.run import run
from renderkiln.settings import Settings


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write_wav(tmp_path / "Night Drive.wav", pulses(1.5))


@pytest.fixture
def ffmpeg() -> Callable[..., None]:
    def call(*args: object) -> None:
        run(Command(tuple(str(each) for each in args)), binary=binary.find())

    return call


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Renderkiln]:
    """One fork server for all tests here: starting it is a third of a short render."""
    with Renderkiln.open(Settings.load(home=tmp_path_factory.mktemp("session"), environ={})) as opened:
        yield opened


@pytest.fixture
def kiln(app: Renderkiln, tmp_path: Path) -> Kiln:
    return Kiln(app, tmp_path / "films")
