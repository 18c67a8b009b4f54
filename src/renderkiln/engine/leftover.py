"""Files that may be left over, and their removal."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple


class File(NamedTuple):
    """As it was when it was looked at; times are aware."""

    path: Path
    bytes: int
    own: int  # bytes that go with it: none where it has another name
    written: datetime
    used: datetime

    @property
    def name(self) -> str:
        return self.path.name


def files_below(folder: Path) -> Iterator[File]:
    """All files below; one that goes away meanwhile is passed over."""
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            with contextlib.suppress(OSError):
                status = path.lstat()
                last = max(status.st_atime, status.st_mtime)
                own = status.st_size if status.st_nlink == 1 else 0
                yield File(path, status.st_size, own, _moment(status.st_mtime), _moment(last))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def drop(path: Path) -> bool:
    """Remove a file; whether it was there, and ours to remove."""
    try:
        path.unlink()
    except OSError:  # somebody else was quicker, or it is not ours
        return False
    return True


def drop_empty_folders(root: Path, before: datetime) -> None:
    """Remove the empty folders below `root` that nobody has changed since."""
    for place, _, _ in os.walk(root, topdown=False):
        folder = Path(place)
        with contextlib.suppress(OSError):  # it is not empty
            if folder != root and _moment(folder.stat().st_mtime) < before:
                folder.rmdir()
