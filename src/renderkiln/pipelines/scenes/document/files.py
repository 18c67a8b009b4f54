"""Sees that the files of a project are there, and are what they should be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from renderkiln.domain.errors import UsageError
from renderkiln.media.addresses import parse
from renderkiln.media.container import shown
from renderkiln.media.errors import MediaError, Unsuitable
from renderkiln.media.frames.fonts import faces_for
from renderkiln.media.frames.image import read_image
from renderkiln.media.probe import probe_safely
from renderkiln.media.subtitles import read_captions
from renderkiln.pipelines.scenes.document.mistakes import Mistake
from renderkiln.pipelines.scenes.document.places import Kind, is_url, places, resolve_place
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
    return [Mistake(path, message) for path, message in every if message is not None]


def _wrong(place: str, kind: Kind, folder: Path) -> str | None:
    path = Path(place)
    try:
        if is_url(place):
            parse(place)
        else:
            path = resolve_place(place, folder)
            look(path, kind)
    except (UsageError, MediaError) as error:
        return str(error).replace(shown(path), place).replace(str(path), place)
    return None


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
