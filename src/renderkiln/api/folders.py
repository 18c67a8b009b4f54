"""Where things lie on this machine is nobody's business: their folders are taken out of what is told."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath
from typing import Any

import renderkiln
from renderkiln.api.room import Reached
from renderkiln.database.jobs import StoredJob

_CODE = (Path(renderkiln.__file__).parents[1], Path(sys.prefix), Path(sys.base_prefix))


def folders_of(kiln: Reached, stored: StoredJob) -> Sequence[str]:
    """What a job may have to do with, the longest first."""
    folders = {stored.output_dir, kiln.kiln.settings.home.absolute()}
    given = [each for each in stored.report.job.inputs if isinstance(each, PurePath)]
    files = [*given, *(each.path for each in stored.report.artifacts)]
    return _longest_first(folders | {path.parent for path in files})


def all_folders_of(kiln: Reached, stored: StoredJob) -> Sequence[str]:
    """Those, and what a log tells of besides: where code lies, programs and temporary files."""
    settings = kiln.kiln.settings
    places = [*_CODE, Path(tempfile.gettempdir()), Path.home(), Path.cwd(), settings.output_dir.absolute()]
    places += [] if settings.ffmpeg is None else [settings.ffmpeg.parent]
    return _longest_first({*folders_of(kiln, stored), *places})


def without(value: Any, folders: Sequence[str]) -> Any:
    """JSON values with files named as within these folders."""
    match value:
        case str():
            for folder in folders:
                value = value.replace(f"{folder}/", "").replace(folder, ".")
            return value
        case list():
            return [without(each, folders) for each in value]
        case dict():
            return {key: without(each, folders) for key, each in value.items()}
        case _:
            return value


def _longest_first(folders: Iterable[str | PurePath]) -> Sequence[str]:
    return sorted({str(each) for each in folders} - {"/"}, key=len, reverse=True)
