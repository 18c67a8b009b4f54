"""`renderkiln projects`: projects of scenes that are kept, to be changed and rendered later."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from renderkiln.cli.jobs import SHAPE
from renderkiln.cli.opening import at_desk, open_shelf
from renderkiln.cli.options import FOLDER
from renderkiln.cli.project_scenes import scene_rows, scenes
from renderkiln.cli.shelf import Told
from renderkiln.cli.stored import FILE, ID, REVISION, STDIN, read_object
from renderkiln.cli.words import put, put_json, put_list, put_table, say, shown
from renderkiln.domain.errors import UsageError


@click.group("projects")
def projects() -> None:
    """Keep projects of scenes, change them, and render them by id.

    With --server, files that a document names are uploaded with it.
    """


projects.add_command(scenes)


@projects.command("create")
@FILE
@click.option("--name", help="What people read; by default its title, or the file's name.")
@click.option("--folder", type=FOLDER, help="Where its relative paths count from; by default where FILE is.")
@at_desk
def create(file: Path, name: str | None, folder: Path | None) -> None:
    """Store the project document in FILE and print its id; - reads it from stdin."""
    document = read_object(file)
    if name is None and file != STDIN and not document.get("title"):
        name = file.stem
    with open_shelf() as shelf:
        made = shelf.create(document, folder or file.parent, name)
    put(made["id"])
    say(f"{made['name']}: stored with {_scenes(made)}")


@projects.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, help="How many [default: 20]")
@SHAPE
@at_desk
def list_(limit: int, shape: str) -> None:
    """List projects, the newest first."""
    with open_shelf() as shelf:
        found = shelf.projects(limit)
    put_list(shape, found, lambda: [_row(each) for each in found])


@projects.command("show")
@ID
@SHAPE
@at_desk
def show(id: str, shape: str) -> None:
    """Show a project and its scenes; with `-o json` its document, as a file of its own would have it."""
    with open_shelf() as shelf:
        project, document = shelf.read(id)
    if shape != "table":
        put_json(document, indent=2 if shape == "json" else None)
        return
    folder = project.get("folder")
    place = "" if folder is None else f", in {shown(folder)}"
    put(f"project {id} ({shown(project['name'])}): revision {project['revision']}{place}")
    put_table(scene_rows(document["scenes"]))


@projects.command("replace")
@ID
@FILE
@click.option("--folder", type=FOLDER, help="Where its relative paths count from; by default where FILE is.")
@REVISION
@at_desk
def replace(id: str, file: Path, folder: Path | None, revision: int | None) -> None:
    """Give a project the document in FILE; - reads it from stdin, and the folder stays.

    Scenes with an id that the project has already are the same scenes, changed.
    """
    document = read_object(file)
    if folder is None and file != STDIN:
        folder = file.parent
    with open_shelf() as shelf:
        changed = shelf.replace(id, document, folder, revision)
    say(f"{id}: replaced, {_scenes(changed)} now, revision {changed['revision']}")


@projects.command("rename")
@ID
@click.argument("name", metavar="NAME")
@REVISION
@at_desk
def rename(id: str, name: str, revision: int | None) -> None:
    """Change the name that people read; the title in the film's tags stays."""
    with open_shelf() as shelf:
        changed = shelf.rename(id, name, revision)
    say(f"{id}: called {changed['name']}, revision {changed['revision']}")


@projects.command("delete")
@ID
@REVISION
@click.option("--yes", is_flag=True, help="Do not ask.")
@at_desk
def delete(id: str, revision: int | None, *, yes: bool) -> int:
    """Forget a project with its scenes, after asking. Films that were made of it stay."""
    with open_shelf() as shelf:
        project = shelf.project(id)
        if not yes and not _agreed(f"Delete {shown(project['name'])} with {_scenes(project)}?"):
            say(f"{id}: not deleted")
            return 1
        shelf.delete(id, revision)
    say(f"{id}: deleted")
    return 0


def _agreed(question: str) -> bool:
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to be asked: say --yes")
    return click.confirm(question, err=True)


def _scenes(project: Told) -> str:
    return f"{project['scenes']} scene{'' if project['scenes'] == 1 else 's'}"


def _row(project: Told) -> dict[str, Any]:
    from renderkiln.cli.tables import moment_told

    return {
        "id": project["id"],
        "scenes": project["scenes"],
        "revision": project["revision"],
        "created": moment_told(project["createdAt"]),
        "changed": moment_told(project["updatedAt"]),
        "name": project["name"],
        **({"folder": project["folder"] or ""} if "folder" in project else {}),
    }
