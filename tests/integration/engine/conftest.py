from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from renderkiln import Event, JobReport, Renderkiln, Settings

PLUGINS = str(Path(__file__).parent / "plugins")
if PLUGINS not in sys.path:
    sys.path.append(PLUGINS)  # where stages' processes look too: they take over this process's path


@dataclass
class Kiln:
    """A render room in a folder of its own, and what was heard from it."""

    app: Renderkiln
    folder: Path
    events: list[Event] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def output(self) -> Path:
        return self.folder / "output"

    @property
    def work(self) -> Path:
        return self.app.settings.home / "work"

    @property
    def logs(self) -> list[Path]:
        return sorted((self.app.settings.home / "logs").glob("*.log"))

    def run(
        self,
        pipeline: str,
        params: dict[str, Any],
        *,
        listen: Callable[[Event], None] | None = None,
        path: Path | None = None,
        **options: Any,
    ) -> JobReport:
        source = self.folder / "note.txt"
        source.write_text("a note")
        job = self.app.job(pipeline, path or source, params)

        def note(event: Event) -> None:
            self.events.append(event)
            if listen is not None:
                listen(event)

        return self.app.run(job, **{"output": self.output, "stop": self.stop, "listen": note, **options})

    def mischief(self, kind: str, **params: Any) -> JobReport:
        return self.run("mischief:Mischief", {"mischief": kind, **params})

    def names(self) -> list[str]:
        return [event.name for event in self.events]


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Renderkiln]:
    """One fork server for all tests here: starting it is what takes the time."""
    home = tmp_path_factory.mktemp("session")
    with Renderkiln.open(Settings.load(home=home, environ={})) as app:
        yield app


@pytest.fixture
def kiln(app: Renderkiln, tmp_path: Path) -> Kiln:
    for name in ("work", "logs"):
        shutil.rmtree(app.settings.home / name, ignore_errors=True)
    return Kiln(app, tmp_path)
