"""Files on their way to a server and back, with a bar for each where bars can move."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from renderkiln.cli.words import plain, say, shown, size
from renderkiln.client import Artifact, Client
from renderkiln.domain.place import place_of

if TYPE_CHECKING:
    from rich.progress import Progress

_LONG = 10_000_000  # bytes that deserve a line where nothing moves


class Sending:
    """Sends each file once, however often it is named."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._sent: dict[Path, str] = {}
        self._bars: Progress | None = None

    def __enter__(self) -> Self:
        if not plain(sys.stderr):
            from rich.console import Console

            from renderkiln.cli.bars import moving_bars

            self._bars = moving_bars(Console(stderr=True, highlight=False))
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def upload(self, path: Path) -> str:
        """What the server calls the file. Raises UserError."""
        file = path.absolute()
        if file not in self._sent:
            asset = self._client.upload(file, on_bytes=self._heard(path.name, "uploaded"))
            self._sent[file] = place_of(asset.id)
        return self._sent[file]

    def download(self, artifact: Artifact, folder: Path) -> Path:
        """Where the file is then. Raises UserError."""
        return self._client.download(artifact, folder, on_bytes=self._heard(artifact.name, "downloaded"))

    def _heard(self, name: str, done: str) -> Callable[[int, int], None]:
        if (bars := self._bars) is None:
            return lambda come, whole: _line(name, done, come, whole)
        task = bars.add_task(shown(name), total=None, words="")

        def hear(come: int, whole: int) -> None:
            bars.update(task, completed=come, total=whole, words=f"{size(come)} of {size(whole)}")
            if come == whole:
                bars.remove_task(task)

        return hear


def _line(name: str, done: str, come: int, whole: int) -> None:
    if come == whole and whole >= _LONG:
        say(f"{name}: {done}, {size(whole)}")
