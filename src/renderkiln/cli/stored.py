"""What the commands around stored projects have in common, and what a render needs of one."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from renderkiln.cli.opening import open_here
from renderkiln.domain.errors import UsageError

if TYPE_CHECKING:
    from renderkiln.app import Renderkiln
    from renderkiln.engine.projects import Projects

STDIN = Path("-")

ID = click.argument("id", metavar="ID")
FILE = click.argument(
    "file", metavar="FILE", type=click.Path(path_type=Path, readable=False, allow_dash=True)
)
REVISION = click.option(
    "--revision", type=click.IntRange(1), help="Only if it is at this revision, so not changed since."
)

_STORED = re.compile(r"prj_[0-9A-Za-z]+")


def is_stored(text: str) -> bool:
    """Whether this is the id of a stored project, and no file."""
    return _STORED.fullmatch(text) is not None


def stored_order(kiln: Renderkiln, id: str) -> tuple[dict[str, Any], Path | None]:
    """(document with all scenes, folder that its paths count from, if it may name any) of a stored project.

    Raises UserError for one there is not.
    """
    project, document = kiln.projects.read(id)
    return document, project.folder


@contextmanager
def open_projects() -> Iterator[Projects]:
    """Those of the settings. Raises UserError where their database cannot be used."""
    with open_here("renderkiln projects") as kiln:
        yield kiln.projects


def read_object(file: Path) -> dict[str, Any]:
    """The JSON object in a file, or on stdin for `-`. Raises UsageError."""
    from renderkiln.pipelines.scenes.document.mistakes import WrongProject
    from renderkiln.pipelines.scenes.document.parsing import MAX_BYTES, Wrong, parse

    try:
        return parse(content(file, MAX_BYTES + 1))
    except Wrong as error:
        raise WrongProject(str(file), error.mistakes) from error


def content(file: Path, most: int) -> bytes:
    """The first bytes of a file, or of stdin for `-`. Raises UsageError."""
    try:
        if file == STDIN:
            return sys.stdin.buffer.read(most)
        with file.open("rb") as opened:
            return opened.read(most)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{file} cannot be read: {reason.lower()}") from error
