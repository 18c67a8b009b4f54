"""Where commands ask for stored projects: the database of this machine, or a server.

What they get is JSON as the API tells it; on this machine, with the `folder` that paths count from, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

Told = Mapping[str, Any]
Document = Mapping[str, Any]


class Shelf(Protocol):
    """Every verb raises UserError for what there is not, and for a project that is not at the `revision`.

    Those that are given a document raise UsageError for what is wrong in it. Its relative paths count from
    `folder`.
    """

    def projects(self, limit: int) -> Sequence[Told]:
        """The newest first."""

    def project(self, id: str) -> Told: ...

    def read(self, id: str) -> tuple[Told, dict[str, Any]]:
        """The project, and its document with all scenes."""

    def create(self, document: Document, folder: Path, name: str | None) -> Told: ...

    def replace(self, id: str, document: Document, folder: Path | None, revision: int | None) -> Told:
        """No `folder`: the one it has stays."""

    def rename(self, id: str, name: str, revision: int | None) -> Told: ...

    def delete(self, id: str, revision: int | None) -> None: ...

    def scenes(self, id: str) -> Sequence[Told]:
        """In their order."""

    def add_scene(
        self, id: str, scene: Document, folder: Path, *, at: int | None, revision: int | None
    ) -> Told:
        """Its paths count from the project's folder; from `folder`, where that is on another machine."""

    def replace_scene(
        self, id: str, scene_id: str, scene: Document, folder: Path, revision: int | None
    ) -> None: ...

    def move_scene(self, id: str, scene_id: str, position: int, revision: int | None) -> None: ...

    def remove_scene(self, id: str, scene_id: str, revision: int | None) -> None: ...
