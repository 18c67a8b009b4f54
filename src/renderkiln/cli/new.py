"""`renderkiln new`."""

from __future__ import annotations

import importlib.util
import keyword
import os
import re
import shlex
import tempfile
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from string import Template

import click

from renderkiln import __version__
from renderkiln.cli.options import FOLDER
from renderkiln.cli.words import say, shown, tell
from renderkiln.domain.errors import UsageError, UserError
from renderkiln.pipelines import catalog

NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
PACKAGE, MODULE = "renderkiln-", "renderkiln_"  # so that a pipeline `json` hides no module of that name

FILES = {  # template: what it becomes
    "pyproject.toml.tmpl": "pyproject.toml",
    "README.md.tmpl": "README.md",
    "module.py.tmpl": "$module.py",
    "exam.py.tmpl": "test_$module.py",
}


@click.group("new")
def new() -> None:
    """Start a package of your own."""


@new.command("pipeline")
@click.argument("name")
@click.option("--out", type=FOLDER, default=Path(), help="Folder to make the package in [default: this one]")
def pipeline(name: str, out: Path) -> None:
    """Make a package with a pipeline NAME that works, to be tried and then made your own.

    It has one folder, renderkiln-NAME: the pipeline, its exam, and what pip needs to install it.
    """
    check(name)
    folder = make(name, out)
    place = shlex.quote(shown(folder))
    say(f"made {shown(folder)}, a pipeline that works. Next:")
    tell(f"  install it   pip install -e {shlex.quote(shown(folder.absolute()) + '[test]')}")
    tell(f"  examine it   python -m pytest {place}")
    tell(f"  render       renderkiln render {name} FILM")
    tell(f"  change it    {shown(folder / 'README.md')} says what is where")


def check(name: str) -> None:
    """Raises UsageError unless a new pipeline can be called `name`."""
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name for a pipeline: use lower-case letters, digits and single '-' or '_' "
            "between them, beginning with a letter"
        )
    if keyword.iskeyword(name):
        raise UsageError(f"{name!r} is a word of Python's own: choose another name")
    taken = {_identifier(each) for each in catalog.names(catalog.PIPELINES)}
    if _identifier(name) in taken:
        raise UsageError(f"a pipeline {name!r} is installed already: choose another name")
    if importlib.util.find_spec(MODULE + _identifier(name)) is not None:
        raise UsageError(f"a module {MODULE}{_identifier(name)} is there already: choose another name")


def make(name: str, parent: Path) -> Path:
    """Make the package of a pipeline `name` in the folder `parent`: whole, or not at all. Returns its folder.

    Raises UserError where there is something of that name, and where nothing can be written.
    """
    folder = parent / f"{PACKAGE}{name}"
    if os.path.lexists(folder):  # a dangling link counts, too
        raise UserError(f"{folder} exists already: nothing was changed")
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=parent) as hidden:
            part = Path(hidden) / folder.name  # of its own: the hidden folder itself is closed to others
            part.mkdir()
            for file, text in _filled(name).items():
                (part / file).write_text(text, encoding="utf-8")
            part.rename(folder)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UserError(f"{folder} cannot be written: {reason}") from error
    return folder


def _filled(name: str) -> Mapping[str, str]:
    """The text of every file by its name."""
    words = {
        "name": name,
        "package": f"{PACKAGE}{name}",
        "module": f"{MODULE}{_identifier(name)}",
        "kind": "".join(part.capitalize() for part in _identifier(name).split("_")),
        "version": __version__,
    }
    folder = resources.files("renderkiln.cli") / "new_pipeline"
    return {
        Template(file).substitute(words): Template((folder / template).read_text("utf-8")).substitute(words)
        for template, file in FILES.items()
    }


def _identifier(name: str) -> str:
    return name.replace("-", "_")
