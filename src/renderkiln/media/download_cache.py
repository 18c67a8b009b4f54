"""Where downloaded files are kept: one entry for each URL, safe for many processes and for kill -9."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import BinaryIO

import httpx

from renderkiln.media.addresses import Unreachable
from renderkiln.media.web import POLL, Deadline

_FRESH = 600.0  # seconds in which a file is taken as it is


@dataclass(frozen=True)
class Facts:
    """What the cache knows of the file of a URL."""

    source: str  # the URL that gave it, after all redirects
    sha256: str
    size: int
    content_type: str | None
    name: str
    etag: str | None
    modified: str | None
    checked: float  # seconds since 1970

    def are_fresh(self) -> bool:
        return 0 <= time.time() - self.checked < _FRESH

    def conditions(self, url: httpx.URL) -> Mapping[str, str]:
        """Headers that ask whether the file has changed: only of the very place that gave it."""
        if self.source != source_of(url):
            return {}
        if self.etag:
            return {"If-None-Match": self.etag}
        return {"If-Modified-Since": self.modified} if self.modified else {}


class Entry:
    """The place of one URL in the cache."""

    def __init__(self, folder: Path, key: str) -> None:
        self._folder = folder
        self._key = hashlib.sha256(key.encode()).hexdigest()[:32]
        self._facts = folder / f"{self._key}.json"

    def path(self, facts: Facts) -> Path:
        return self._folder / f"{facts.sha256}.data"

    def find(self) -> Facts | None:
        """What is there, now touched; None where anything of it is missing or damaged."""
        try:
            facts = Facts(**json.loads(self._facts.read_text()))
            os.utime(self._facts)
            data = self.path(facts)  # its time of writing stays: it may be a file of somebody else's, too
            os.utime(data, ns=(time.time_ns(), data.stat().st_mtime_ns))
            return facts if self.path(facts).stat().st_size == facts.size else None
        except (OSError, ValueError, TypeError):
            return None

    def note(self, facts: Facts) -> None:
        """Write down that the server has just said so."""
        checked = replace(facts, checked=time.time())
        with self.part() as part, suppress(FileNotFoundError):  # swept already: then it is not remembered
            part.write(json.dumps(asdict(checked)).encode())
            part.flush()
            Path(part.name).replace(self._facts)

    def keep(self, facts: Facts, file: BinaryIO) -> None:
        """Put the file in its place for good."""
        file.flush()
        os.fsync(file.fileno())
        try:
            Path(file.name).replace(self.path(facts))
        except FileNotFoundError:
            raise Unreachable("the cache was emptied during a download", temporary=True) from None

    @contextmanager
    def locked(self, deadline: Deadline) -> Iterator[None]:
        """Be the only one, of all processes and threads, that works on this entry."""
        self._folder.mkdir(parents=True, exist_ok=True)
        while (lock := self._lock(self._key)) is None:
            deadline.sleep(POLL)
        try:
            yield
        finally:
            self._unlock(self._key, lock)

    @contextmanager
    def part(self) -> Iterator[BinaryIO]:
        """A new file, gone at the end unless it was moved to its place. Others may be made beside it."""
        descriptor, name = tempfile.mkstemp(".part", f"{self._key}.", self._folder)
        os.close(descriptor)
        path = Path(name)
        try:
            with path.open("wb") as file:
                yield file
        finally:
            path.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what killed processes left, here or elsewhere in the cache: parts whose lock is free."""
        for part in self._folder.glob("*.part"):
            key = part.name.partition(".")[0]
            if key == self._key:
                part.unlink(missing_ok=True)
            elif (lock := self._lock(key)) is not None:
                part.unlink(missing_ok=True)
                self._unlock(key, lock)

    def _lock(self, key: str) -> int | None:
        path = self._folder / f"{key}.lock"
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with suppress(BlockingIOError, FileNotFoundError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.stat().st_ino == os.fstat(lock).st_ino:  # else we locked what was just removed
                return lock
        os.close(lock)
        return None

    def _unlock(self, key: str, lock: int) -> None:
        (self._folder / f"{key}.lock").unlink(missing_ok=True)
        os.close(lock)


def source_of(url: httpx.URL) -> str:
    """Without its query, which may be a signature that is new each time, and a secret."""
    return str(url.copy_with(query=None))
