"""Stored projects of a server. Files that a document names here are uploaded, and are assets there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from renderkiln.app import project_document
from renderkiln.cli.luggage import pack
from renderkiln.cli.orders import Order
from renderkiln.cli.remotedesk import plainly
from renderkiln.cli.sending import Sending
from renderkiln.cli.shelf import Document, Told
from renderkiln.client import Client
from renderkiln.engine.projects import FIRST


@dataclass(frozen=True)
class RemoteShelf:
    """Speaks to a server."""

    client: Client

    def projects(self, limit: int) -> Sequence[Told]:
        return [each.raw for each in islice(self.client.projects(), limit)]

    def project(self, id: str) -> Told:
        return self.client.project(id).raw

    def read(self, id: str) -> tuple[Told, dict[str, Any]]:
        told = self.client.project(id).raw
        return told, dict(told["document"])

    def create(self, document: Document, folder: Path, name: str | None) -> Told:
        with plainly():
            return self.client.create_project(self._sent(document, folder), name=name).raw

    def replace(self, id: str, document: Document, folder: Path | None, revision: int | None) -> Told:
        with plainly():
            sent = self._sent(document, folder or Path())
            return self.client.replace_project(id, sent, revision=revision).raw

    def rename(self, id: str, name: str, revision: int | None) -> Told:
        with plainly():
            return self.client.rename_project(id, name, revision=revision).raw

    def delete(self, id: str, revision: int | None) -> None:
        self.client.delete_project(id, revision=revision)

    def scenes(self, id: str) -> Sequence[Told]:
        return [each.raw for each in self.client.scenes(id)]

    def add_scene(
        self, id: str, scene: Document, folder: Path, *, at: int | None, revision: int | None
    ) -> Told:
        _, whole = self.read(id)
        place = len(whole["scenes"]) if at is None else min(at - 1, len(whole["scenes"]))
        whole["scenes"].insert(place, scene)
        with plainly():
            sent = self._sent(whole, folder)["scenes"][place]
            return self.client.add_scene(id, sent, at=at, revision=revision).raw

    def replace_scene(
        self, id: str, scene_id: str, scene: Document, folder: Path, revision: int | None
    ) -> None:
        _, whole = self.read(id)
        sent = dict(scene)
        with plainly():
            for place, each in enumerate(whole["scenes"]):
                if each["id"] == scene_id:
                    whole["scenes"][place] = scene
                    sent = self._sent(whole, folder)["scenes"][place]
            self.client.replace_scene(id, scene_id, sent, revision=revision)

    def move_scene(self, id: str, scene_id: str, position: int, revision: int | None) -> None:
        with plainly():
            self.client.move_scene(id, scene_id, position, revision=revision)

    def remove_scene(self, id: str, scene_id: str, revision: int | None) -> None:
        self.client.remove_scene(id, scene_id, revision=revision)

    def _sent(self, document: Document, folder: Path) -> dict[str, Any]:
        """The document when its files are on the server. Raises UsageError for what is wrong in it."""
        is_empty = document.get("scenes", []) == []  # which a renderer would not take
        whole = project_document({**document, "scenes": [FIRST]} if is_empty else document)
        params = {"project": whole, "folder": str(folder.absolute())}
        luggage = pack("scenes", Order(folder, params, "1", needed=False))
        with Sending(self.client) as sending:
            sent: dict[str, Any] = luggage.unpacked(sending.upload)["project"]
        if is_empty:
            del sent["scenes"]
        return sent
