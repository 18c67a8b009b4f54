"""The files that a project names, and where they lie."""

from __future__ import annotations

import errno
import os
import stat
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from renderkiln.domain.errors import UsageError
from renderkiln.domain.nearest import similar
from renderkiln.pipelines.scenes.document.background import ImageBackground, VideoBackground
from renderkiln.pipelines.scenes.document.layers import CaptionsLayer, ImageLayer, VideoLayer
from renderkiln.pipelines.scenes.document.mistakes import Where, path_of, quoted
from renderkiln.pipelines.scenes.document.pieces import pieces
from renderkiln.pipelines.scenes.document.project import Brand, Logo, Project
from renderkiln.pipelines.scenes.document.sound import Music, Voice
from renderkiln.pipelines.scenes.document.units import Piece

Kind = Literal["image", "video", "audio", "font", "captions"]
_MOST_NAMES = 5000  # of a folder that are looked at for one like the missing one


@dataclass(frozen=True)
class Named:
    """A file that a project names: where in the document, by what path or URL, and what it should be."""

    path: str
    place: str
    kind: Kind


def places(project: Project, document: Any = None) -> list[Named]:
    """Every file that the project names, as often as it is named, in the order of the document.

    `document` is the JSON it was written as, so that paths are those that its author knows.
    """
    written = project if document is None else document
    return [
        Named(path_of((*where, *within), written), place, kind)
        for where, piece in pieces(project)
        for within, place, kind in _named(piece)
    ]


def resolve_place(place: str, folder: Path) -> Path:
    """The file that a path in a project leads to, without links; it exists, and is within `folder`.

    Raises UsageError: for a path that leads out of the folder, also by a link, for what is no file or is not
    there, with the nearest name that is, and for names that no file has.
    """
    if any(unicodedata.category(character) == "Cc" for character in place):
        raise UsageError(
            f"{quoted(place)} has a character in it that no name has: a line break, NUL or other"
        )
    root = Path(os.path.realpath(folder))
    path = Path(os.path.realpath(root / place))
    if Path(place).is_absolute() or not path.is_relative_to(root):
        raise UsageError(f"{quoted(place)} lies outside of the project's folder: copy the file into it")
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise UsageError(_why(error, place, root)) from error
    if not stat.S_ISREG(mode):
        raise UsageError(f"{quoted(place)} is {'a folder' if stat.S_ISDIR(mode) else 'no file'}")
    return path


def _named(piece: Piece) -> Iterator[tuple[Where, str, Kind]]:
    match piece:
        case Brand(fonts=fonts):
            yield from ((("fonts", name), place, "font") for name, place in fonts.items())
        case Logo(file=place) | ImageBackground(file=place) | ImageLayer(file=place):
            yield ("file",), place, "image"
        case VideoBackground(file=place) | VideoLayer(file=place):
            yield ("file",), place, "video"
        case Music(file=place) | Voice(file=str(place)):
            yield ("file",), place, "audio"
        case CaptionsLayer(file=str(place)):
            yield ("file",), place, "captions"


def _why(error: OSError, place: str, root: Path) -> str:
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR:
            near = _nearest(place, root)
            return f"there is no file {quoted(place)}" + (f"; did you mean {near}?" if near else "")
        case errno.ENAMETOOLONG:
            return f"{quoted(place)} is too long for the name of a file"
        case errno.ELOOP:
            return f"{quoted(place)} is a link that leads back to itself"
    return f"{quoted(place)} cannot be read: {(error.strerror or str(error)).lower()}"


def _nearest(place: str, root: Path) -> str | None:
    """The place with the first name in it that is not there as the most similar one that is."""
    at = Path()
    for name in Path(place).parts:
        names = _names(root / at)
        if name not in names and name != "..":
            found = similar(name, names)
            return None if found is None else (at / found).as_posix()
        at /= name
    return None


def _names(folder: Path) -> Sequence[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in islice(entries, _MOST_NAMES))
    except OSError:
        return ()
