"""A file that is being written: it gets its name when it is complete and on the disk."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from renderkiln.storage.source import Progress, Source, chunks, measure
from renderkiln.storage.trouble import trouble

SUFFIX = ".part"
_FICLONE = 0x40049409  # Linux: share the blocks of another file until one of the two is written to


class Draft:
    """The file at `path`, in a folder of its own kind, gone at the end unless it was moved."""

    def __init__(self, path: Path, where: str) -> None:
        self.path = path
        self._where = where

    def fill(
        self, source: Source, *, take: bool, sha256: str | None, progress: Progress | None
    ) -> tuple[int, str]:
        """Put the source in; (bytes, SHA-256). `take` shares the source's own file where that can be."""
        filled = self._by_link(source, sha256, progress) if take and isinstance(source, Path) else None
        return filled or self._by_copy(source, progress)

    def stamp(self) -> os.stat_result:
        """Give the file a time that no other version of it has, and see it on the disk."""
        with trouble(self._where), self.path.open("rb") as file:
            now = time.time_ns()
            os.utime(file.fileno(), ns=(now, now))
            os.fsync(file.fileno())
            return os.fstat(file.fileno())

    def _by_link(self, source: Path, sha256: str | None, progress: Progress | None) -> tuple[int, str] | None:
        # What has another name already is somebody else's, too: its time must stay.
        if source.is_symlink() or source.stat().st_nlink > 1:
            return None
        try:
            self.path.unlink()
            os.link(source, self.path)
        except OSError:  # another file system, or one without links: then it is copied
            return None
        return measure(self.path, sha256, progress)

    def _by_copy(self, source: Source, progress: Progress | None) -> tuple[int, str]:
        with trouble(self._where):
            file = self.path.open("wb", buffering=0)
        with file:
            if isinstance(source, Path) and _cloned(source, file):
                return measure(self.path, None, progress)
            return self._written(file, source, progress)

    def _written(self, file: BinaryIO, source: Source, progress: Progress | None) -> tuple[int, str]:
        size, digest = 0, hashlib.sha256()
        for chunk in chunks(source):
            digest.update(chunk)
            with trouble(self._where):
                _write_all(file, chunk)
            size += len(chunk)
            if progress is not None:
                progress(size)
        return size, digest.hexdigest()


@contextmanager
def draft(folder: Path, where: str) -> Iterator[Draft]:
    """A new draft in `folder`."""
    with trouble(where):
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(SUFFIX, dir=folder)
        os.close(descriptor)
    path = Path(name)
    try:
        yield Draft(path, where)
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _write_all(file: BinaryIO, chunk: bytes) -> None:
    left = memoryview(chunk)
    while left:  # a nearly full disk takes a part before it refuses
        left = left[file.write(left) :]


def _cloned(source: Path, file: BinaryIO) -> bool:
    try:
        with source.open("rb") as given:
            fcntl.ioctl(file.fileno(), _FICLONE, given.fileno())
    except OSError:
        return False
    return True
