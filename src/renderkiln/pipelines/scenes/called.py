"""What people call the files of a project: nobody knows their copies in the work folder."""

from __future__ import annotations

from pathlib import Path

from renderkiln.domain.place import is_url
from renderkiln.media import container
from renderkiln.media.addresses import parse, shown


def called(place: str) -> str:
    """A place as it may be shown: of a URL without its query, which may be a secret."""
    return shown(parse(place)) if is_url(place) else repr(place)


def told(error: Exception, path: Path, place: str) -> str:
    """What an error says of the copy at `path`, with the name that the project gives to the file."""
    name = called(place)
    return str(error).replace(container.shown(path), name).replace(str(path), name)
