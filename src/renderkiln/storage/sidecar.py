"""What a local storage knows of a file besides its bytes, in a small JSON file of its own.

A sidecar belongs to one version of the file, known by its time and size. It is written before that version
appears, so a version never lacks its sidecar, and the sidecar of one that never appeared harms nobody.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from renderkiln.storage.draft import draft
from renderkiln.storage.trouble import trouble


@dataclass(frozen=True)
class Version:
    """Which of the files that have been under a key."""

    time: int  # its modification, ns since 1970
    size: int  # bytes


@dataclass(frozen=True)
class Notes:
    """What is remembered of a version."""

    key: str
    sha256: str
    content_type: str
    metadata: Mapping[str, str]


def version_of(facts: os.stat_result) -> Version:
    return Version(facts.st_mtime_ns, facts.st_size)


class Sidecars:
    """All sidecars of a storage, in `folder`; they are written in `drafts` first."""

    def __init__(self, folder: Path, drafts: Path) -> None:
        self._folder = folder
        self._drafts = drafts

    def write(self, notes: Notes, version: Version) -> None:
        path = self._path(notes.key, version)
        where = f"the folder {self._folder}"
        with draft(self._drafts, where) as new, trouble(where):
            path.parent.mkdir(parents=True, exist_ok=True)
            with new.path.open("w", encoding="utf-8") as file:
                json.dump(asdict(notes), file)
                file.flush()
                os.fsync(file.fileno())
            new.path.replace(path)
            for each in (path.parent, self._folder):
                _sync(each)

    def find(self, key: str, version: Version) -> Notes | None:
        """What is known of that version; None if nothing is, or not readably."""
        return _read(self._path(key, version), key)

    def forget(self, key: str, version: Version) -> None:
        with contextlib.suppress(OSError):  # a sweep comes by
            self._path(key, version).unlink(missing_ok=True)

    def all(self) -> Iterator[tuple[Path, Notes | None, Version | None]]:
        """Every sidecar with what it says and of which version; None for what is damaged."""
        for path in self._folder.glob("*/*.json"):
            try:
                _, time, size, _ = path.name.split(".")
                version = Version(int(time), int(size))
            except ValueError:
                yield path, None, None
            else:
                yield path, _read(path), version

    def _path(self, key: str, version: Version) -> Path:
        # Named by a digest: a key's own name could be too long, or the name of another key's folder.
        digest = hashlib.sha256(key.encode()).hexdigest()[:40]
        return self._folder / digest[:2] / f"{digest[2:]}.{version.time}.{version.size}.json"


def _read(path: Path, key: str | None = None) -> Notes | None:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        notes = Notes(
            str(told["key"]), str(told["sha256"]), str(told["content_type"]), dict(told["metadata"])
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return notes if key in (None, notes.key) else None


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
