"""Which keys our files get: readable, safe whatever people call their things, never one for two files."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from pathlib import PurePosixPath

_FOLDERS = {"video": "videos", "thumbnail": "thumbnails", "report": "reports"}  # others: as they are
_CLEAN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_EXTENSION = re.compile(r"\.[a-z0-9]{1,8}")
_WORK = "unfinished.work"  # no kind of artifact is called so: slugs have no dot
_WORK_KEY = re.compile(rf"{re.escape(_WORK)}/([0-9a-f]{{24}}(?:-[1-9][0-9]*)?)/[0-9a-f]{{64}}")


def artifact_key(
    kind: str, job: str, name: str, created: datetime, *, position: int = 1, project: str | None = None
) -> str:
    """The key of a file that a job has made: the `position`-th one of it, called `name` by its pipeline.

    Of a project: `videos/{project}/{job}.mp4`, and `.../{job}.2.mp4` for its second file. Without one, by
    date (UTC): `audio/2026/01/27/{job}.mp3`. Files of two jobs, or of two positions, never have the same key.
    """
    if position < 1:
        raise ValueError("the first file of a job has position 1")
    day = created.astimezone(UTC)
    folder = f"{day:%Y/%m/%d}" if project is None else slug(project)
    number = "" if position == 1 else f".{position}"
    return f"{_FOLDERS.get(kind, slug(kind))}/{folder}/{slug(job)}{number}{_extension(name)}"


def asset_key(id: str, name: str) -> str:
    """The key of an uploaded file, one for each asset: `assets/3f/ast_3f2a….wav`."""
    if not re.fullmatch(r"ast_[0-9a-f]{32}", id):
        raise ValueError("the id of an asset is ast_ and 32 hexadecimal digits in lower case")
    return f"assets/{id[4:6]}/{id}{_extension(name)}"


def work_folder(work: str | None = None) -> str:
    """The folder for finished files of unfinished jobs, or of one, called as its work folder."""
    return _WORK if work is None else f"{_WORK}/{work}"


def work_key(work: str, sha256: str) -> str:
    """The key of such a file. Other bytes have another key: nobody overwrites what others count on."""
    return f"{work_folder(work)}/{sha256}"


def work_of(key: str) -> str | None:
    """Which work the file under the key belongs to; None for any other file."""
    found = _WORK_KEY.fullmatch(key)
    return None if found is None else found[1]


def slug(name: str) -> str:
    """The name in letters, digits, `-` and `_`; one that had to be changed ends in `~` and a digest.

    Clean names have no `~`, so two names never share a slug.
    """
    if _CLEAN.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    readable = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:40]
    return f"{readable or 'x'}~{digest}"


def _extension(name: str) -> str:
    extension = PurePosixPath(name).suffix.lower()
    return extension if _EXTENSION.fullmatch(extension) and not extension[1:].isdigit() else ""
