"""Stored projects in the database of this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renderkiln.cli.shelf import Document, Told
from renderkiln.engine.projects import Projects


@dataclass(frozen=True)
class LocalShelf:
    """Goes to the database of the settings."""

    kept: Projects

    def projects(self, limit: int) -> Sequence[Told]:
        return [each.to_json() for each in self.kept.list(limit=limit)]

    def project(self, id: str) -> Told:
        return self.kept.get(id).to_json()

    def read(self, id: str) -> tuple[Told, dict[str, Any]]:
        project, document = self.kept.read(id)
        return project.to_json(), document

    def create(self, document: Document, folder: Path, name: str | None) -> Told:
        return self.kept.create(document, folder, name=name).to_json()

    def replace(self, id: str, document: Document, folder: Path | None, revision: int | None) -> Told:
        return self.kept.replace(id, document, folder=folder, revision=revision).to_json()

    def rename(self, id: str, name: str, revision: int | None) -> Told:
        return self.kept.rename(id, name, revision=revision).to_json()

    def delete(self, id: str, revision: int | None) -> None:
        self.kept.delete(id, revision=revision)

    def scenes(self, id: str) -> Sequence[Told]:
        return [each.to_json() for each in self.kept.scenes(id)]

    def add_scene(
        self,
        id: str,
        scene: Document,
        folder: Path,  # noqa: ARG002 - the project has one
        *,
        at: int | None,
        revision: int | None,
    ) -> Told:
        return self.kept.add_scene(id, scene, at=at, revision=revision).to_json()

    def replace_scene(
        self,
        id: str,
        scene_id: str,
        scene: Document,
        folder: Path,  # noqa: ARG002 - the project has one
        revision: int | None,
    ) -> None:
        self.kept.replace_scene(id, scene_id, scene, revision=revision)

    def move_scene(self, id: str, scene_id: str, position: int, revision: int | None) -> None:
        self.kept.move_scene(id, scene_id, position, revision=revision)

    def remove_scene(self, id: str, scene_id: str, revision: int | None) -> None:
        self.kept.remove_scene(id, scene_id, revision=revision)
