"""Finished files of unfinished jobs in the storage, where workers of other machines find them.

The key of a file is its work and its SHA-256: what is there is right or damaged, never another version. So a
worker that wakes up after its job was taken over overwrites nothing. Which files belong to the work stands in
the rows of its stages, and only those are taken.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from renderkiln.domain.errors import Stopped
from renderkiln.engine.checkpoint import FileRecord
from renderkiln.storage.contract import Storage
from renderkiln.storage.errors import Refused
from renderkiln.storage.folder import entered
from renderkiln.storage.naming import work_folder, work_key, work_of
from renderkiln.storage.stored import Listed

Stop = Callable[[], bool]

_CONTENT_TYPE = "application/octet-stream"
_AT_ONCE = 8  # removals; each is a request that mostly waits


@dataclass(frozen=True)
class Depot:
    """`storage(stop)` gives up when `stop()` says so. Every call raises StorageError and Stopped."""

    storage: Callable[[Stop], Storage]

    def held(self, work: str, stop: Stop) -> Mapping[str, int]:
        """Bytes of the files that are there of this work, by their SHA-256."""
        found = _all(self.storage(stop), work_folder(work))
        return {each.key.rpartition("/")[2]: each.size for each in found if work_of(each.key) == work}

    def put(self, work: str, folder: Path, file: FileRecord, stop: Stop) -> None:
        """Store a file of the work folder. Raises Refused for one that is outside, or not what it was."""

        def go_on(_sent: int) -> None:
            if stop():
                raise Stopped

        path = folder / file.path
        if not path.resolve().is_relative_to(folder.resolve()):
            raise Refused(f"{file.path} does not lie in the work folder")
        key, storage = work_key(work, file.sha256), self.storage(stop)
        storage.put(key, path, content_type=_CONTENT_TYPE, sha256=file.sha256, progress=go_on)

    def fetch(self, work: str, folder: Path, file: FileRecord, stop: Stop) -> bool:
        """Put a file at its place in the work folder; False where what is stored is not this file.

        Raises Refused for a place outside, and OSError where it cannot be written; no link is followed.
        """
        *folders, name = _inside(file.path)
        stored = self.storage(stop).open(work_key(work, file.sha256))
        with stored as reading, entered(folder, folders, create=True) as place:
            return _write(iter(reading), place, name, file, stop)

    def forget(self, work: str, stop: Stop) -> None:
        """Remove all that is there of this work."""
        storage = self.storage(stop)
        keys = [each.key for each in _all(storage, work_folder(work)) if work_of(each.key) == work]
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="depot") as pool:
            list(pool.map(storage.delete, keys))

    def sweep(self, known: Callable[[Collection[str]], set[str]], before: datetime, stop: Stop) -> int:
        """Remove files stored before this moment whose work is not `known`; how many."""
        storage, gone = self.storage(stop), 0
        for page in _pages(storage, work_folder()):
            old = {each: work for each in page if each.modified < before and (work := work_of(each.key))}
            left = known(set(old.values())) if old else set()
            for each in (each for each, work in old.items() if work not in left):
                storage.delete(each.key)
                gone += 1
        return gone


def _inside(path: str) -> tuple[str, ...]:
    """The parts of a path in a work folder. Raises Refused for one that leads out of it."""
    parts = PurePosixPath(path).parts
    if not parts or parts[0] == "/" or ".." in parts or "\0" in path:
        raise Refused(f"{path[:200]!a} is no place in a work folder")
    return parts


def _write(chunks: Iterator[bytes], place: int, name: str, file: FileRecord, stop: Stop) -> bool:
    half = f".{secrets.token_hex(8)}.part"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    size, digest = 0, hashlib.sha256()
    try:
        with os.fdopen(os.open(half, flags, 0o666, dir_fd=place), "wb") as out:
            for chunk in chunks:
                if stop():
                    raise Stopped
                size += len(chunk)
                if size > file.size:
                    return False
                digest.update(chunk)
                out.write(chunk)
        if (size, digest.hexdigest()) != (file.size, file.sha256):
            return False
        if stop():  # whoever waited for it may be making it anew
            raise Stopped
        os.rename(half, name, src_dir_fd=place, dst_dir_fd=place)
        return True
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(half, dir_fd=place)


def _pages(storage: Storage, prefix: str) -> Iterator[list[Listed]]:
    after: str | None = None
    while True:
        page = storage.list(prefix, after=after)
        yield list(page.items)
        if (after := page.after) is None:
            return


def _all(storage: Storage, prefix: str) -> Iterator[Listed]:
    for page in _pages(storage, prefix):
        yield from page
