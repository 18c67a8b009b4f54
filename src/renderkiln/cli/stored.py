"""What the commands around stored projects have in common."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import click

from renderkiln.cli.ids import Id
from renderkiln.domain.errors import UsageError

STDIN = Path("-")

_LETTERS = "[0-9A-Za-z]{1,60}"
ID = click.argument("id", metavar="ID", type=Id("prj", "a project", _LETTERS))
FILE = click.argument(
    "file", metavar="FILE", type=click.Path(path_type=Path, readable=False, allow_dash=True)
)
REVISION = click.option(
    "--revision", type=click.IntRange(1), help="Only if it is at this revision, so not changed since."
)


def is_stored(text: str) -> bool:
    """Whether this is the id of a stored project, and no file."""
    return re.fullmatch(f"prj_{_LETTERS}", text) is not None


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
