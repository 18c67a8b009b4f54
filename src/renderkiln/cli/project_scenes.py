"""`renderkiln projects scenes`: the scenes of a stored project, one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from renderkiln.cli.jobs import SHAPE
from renderkiln.cli.opening import at_desk, open_shelf
from renderkiln.cli.stored import FILE, ID, REVISION, read_object
from renderkiln.cli.words import clock, put, put_list, say

SCENE = click.argument("scene", metavar="SCENE")
_TEXT = 40  # characters of it in a table


@click.group("scenes")
def scenes() -> None:
    """See and change the scenes of a project, one by one."""


@scenes.command("list")
@ID
@SHAPE
@at_desk
def list_(id: str, shape: str) -> None:
    """List the scenes of a project, in their order."""
    with open_shelf() as shelf:
        found = shelf.scenes(id)
    put_list(shape, found, lambda: scene_rows([each["scene"] for each in found]))


@scenes.command("add")
@ID
@FILE
@click.option("--at", type=click.IntRange(1), help="Which position it takes; by default the last.")
@REVISION
@at_desk
def add(id: str, file: Path, at: int | None, revision: int | None) -> None:
    """Put the scene in FILE into a project and print the scene's id; - reads it from stdin.

    Its paths count from the project's folder; with --server, from where FILE is.
    """
    scene = read_object(file)
    with open_shelf() as shelf:
        added = shelf.add_scene(id, scene, file.parent, at=at, revision=revision)
    put(added["id"])
    say(f"{id}: scene {added['id']} added at position {added['position']}")


@scenes.command("replace")
@ID
@SCENE
@FILE
@REVISION
@at_desk
def replace(id: str, scene: str, file: Path, revision: int | None) -> None:
    """Let a scene be the one in FILE, under the same id; - reads it from stdin."""
    document = read_object(file)
    with open_shelf() as shelf:
        shelf.replace_scene(id, scene, document, file.parent, revision)
    say(f"{id}: scene {scene} replaced")


@scenes.command("move")
@ID
@SCENE
@click.argument("position", metavar="POSITION", type=click.IntRange(1))
@REVISION
@at_desk
def move(id: str, scene: str, position: int, revision: int | None) -> None:
    """Let a scene be the one at POSITION, counted from 1."""
    with open_shelf() as shelf:
        shelf.move_scene(id, scene, position, revision)
    say(f"{id}: scene {scene} moved to position {position}")


@scenes.command("remove")
@ID
@SCENE
@REVISION
@at_desk
def remove(id: str, scene: str, revision: int | None) -> None:
    """Take a scene out of a project."""
    with open_shelf() as shelf:
        shelf.remove_scene(id, scene, revision)
    say(f"{id}: scene {scene} removed")


def scene_rows(documents: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Scenes as rows for people."""
    return [_row(position, each) for position, each in enumerate(documents, 1)]


def _row(position: int, scene: Mapping[str, Any]) -> dict[str, Any]:
    layers, seconds = scene.get("layers", []), scene.get("duration")
    texts = (each["text"] for each in layers if each["type"] == "text")
    return {
        "#": position,
        "scene": scene["id"],
        "takes": "" if seconds is None else clock(seconds),
        "background": scene.get("background", {}).get("type", "color"),
        "layers": len(layers),
        "voice": _voice(scene.get("voice")),
        "text": _short(" ".join(texts)),
    }


def _voice(voice: Mapping[str, Any] | None) -> str:
    match voice:
        case {"speech": str(speech)}:
            return _short(speech)
        case {"file": str(file)}:
            return file
    return ""


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _TEXT else f"{line[: _TEXT - 1]}…"
