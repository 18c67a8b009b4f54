"""Sees that the files of a project are there, and are what they should be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from renderkiln.domain.errors import UsageError
from renderkiln.domain.place import is_url
from renderkiln.media.addresses import parse
from renderkiln.media.container import shown
from renderkiln.media.errors import MediaError, Unsuitable
from renderkiln.media.frames.fonts import faces_for
from renderkiln.media.frames.image import read_image
from renderkiln.media.probe import probe_safely
from renderkiln.media.subtitles import read_captions
from renderkiln.pipelines.scenes.document.background import VideoBackground
from renderkiln.pipelines.scenes.document.layers import VideoLayer
from renderkiln.pipelines.scenes.document.mistakes import Mistake, path_of, quoted
from renderkiln.pipelines.scenes.document.pieces import pieces
from renderkiln.pipelines.scenes.document.places import Kind, places, resolve_place
from renderkiln.pipelines.scenes.document.project import Project


def check_files(project: Project, folder: Path, document: Any = None) -> list[Mistake]:
    """Files that are missing, lie outside of the folder, or are not what they should be.

    Clips and sounds are not decoded, only looked at; what URLs lead to is not looked at. `document` is the
    JSON that the project was written as.
    """
    found: dict[tuple[str, Kind], str | None] = {}
    named = places(project, document)
    for each in named:
        if (each.place, each.kind) not in found:
            found[each.place, each.kind] = _wrong(each.place, each.kind, folder)
    every = ((each.path, found[each.place, each.kind]) for each in named)
    mistakes = [Mistake(path, message) for path, message in every if message is not None]
    return mistakes + list(_wrong_clips(project, folder, project if document is None else document))


def _wrong(place: str, kind: Kind, folder: Path) -> str | None:
    path = Path(place)
    try:
        if is_url(place):
            return _wrong_url(place)
        path = resolve_place(place, folder)
        look(path, kind)
    except (UsageError, MediaError) as error:
        return str(error).replace(shown(path), place).replace(str(path), place)
    return None


def _wrong_url(place: str) -> str | None:
    try:
        parse(place)
    except MediaError as error:
        return str(error)
    return None


def _wrong_clips(project: Project, folder: Path, document: Any) -> Iterator[Mistake]:
    """Clips of which nothing is left. Those that are no clips are told elsewhere."""
    for where, piece in pieces(project):
        if not isinstance(piece, VideoBackground | VideoLayer) or not piece.trim or is_url(piece.file):
            continue
        try:
            lasts = probe_safely(resolve_place(piece.file, folder)).duration
        except (UsageError, MediaError):
            continue
        if lasts is not None and piece.trim >= lasts:
            path = path_of((*where, "trim"), document)
            yield Mistake(path, f"is {piece.trim:g} s, but {quoted(piece.file)} lasts {lasts:.2f} s")


def look(path: Path, kind: Kind) -> None:
    """Raises MediaError where a file is not what it should be."""
    match kind:
        case "image":
            read_image(path)
        case "font":
            faces_for(24, 400, (path,))
        case "captions":
            read_captions(path)
        case "video" if probe_safely(path).video is None:
            raise Unsuitable(f"{path} has no picture: name a clip")
        case "audio" if probe_safely(path).audio is None:
            raise Unsuitable(f"{path} has no sound: name a sound file")
