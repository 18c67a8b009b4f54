"""Puts a finished file under its final name: whole or not at all, and never over another one."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from renderkiln.domain.artifact import Artifact
from renderkiln.domain.fingerprint import file_sha256
from renderkiln.pipelines.delivery.naming import versioned

_CHUNK = 1 << 20
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EXDEV, errno.ENOSYS, errno.EMLINK}


def free_names(folder: Path, base: str, suffix: str) -> Iterator[Path]:
    """The names `base_vN` not taken in `folder` yet, in order. Another process may still take one first."""
    taken = {entry.name for entry in os.scandir(folder) if entry.name.startswith(base)}
    version = 1
    while True:
        name = versioned(base, version, suffix)
        if name not in taken:
            yield folder / name
        version += 1


def place(source: Path, target: Path, on_bytes: Callable[[int], None] = lambda _: None) -> None:
    """Make `target` the finished file `source`, atomically. Raises FileExistsError if the name is taken.

    On one file system this is a hard link and costs nothing; elsewhere the bytes are copied to a hidden
    `.part` beside the target first. `on_bytes` hears how many bytes are copied and may raise to stop.
    """
    sync(source)
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _copy_then_name(source, target, on_bytes)
    sync(target.parent)


def replace(source: Path, target: Path) -> None:
    """Put a side file beside a video whose name is already ours; an older one of that name is replaced.

    So is what a process that was killed had copied of it.
    """
    for half in target.parent.glob(f".{glob.escape(target.name)}.*.part"):
        half.unlink(missing_ok=True)
    part = _part(target)
    try:
        shutil.copyfile(source, part)
        sync(part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def is_published_from(source: Path, target: Path) -> bool:
    """Whether `target` is what `place(source, target)` has left.

    Where it would have left a link, a file of the same content is somebody else's. A copy can only be told by
    its content.
    """
    if source.samefile(target):
        return True
    probe = source.with_name(f".{source.name}.probe")
    probe.unlink(missing_ok=True)
    try:
        os.link(target, probe)
    except OSError:
        same_size = source.stat().st_size == target.stat().st_size
        return same_size and file_sha256(source) == file_sha256(target)
    probe.unlink()
    return False


def artifact(kind: str, path: Path, content_type: str, facts: Mapping[str, Any] | None = None) -> Artifact:
    """Describe a finished file, reading it once for its SHA-256."""
    return Artifact(kind, path, path.stat().st_size, file_sha256(path), content_type, facts or {})


def sync(path: Path) -> None:
    """Make a file, or the names in a folder, outlive a power cut."""
    # A rename or link is only as durable as the folder and the data it points at.
    with contextlib.suppress(OSError):  # some file systems refuse to sync a folder
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _copy_then_name(source: Path, target: Path, on_bytes: Callable[[int], None]) -> None:
    part = _part(target)
    try:
        with source.open("rb") as read, part.open("wb") as write:
            done = 0
            while block := read.read(_CHUNK):
                write.write(block)
                done += len(block)
                on_bytes(done)
            write.flush()
            os.fsync(write.fileno())
        try:
            os.link(part, target)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            _rename_into_claimed(part, target)
    finally:
        part.unlink(missing_ok=True)


def _rename_into_claimed(part: Path, target: Path) -> None:
    # FAT and some network shares have no hard links: a claim file decides who may rename onto the name.
    claim = target.with_name(f".{target.name}.claim")
    claim.touch(exist_ok=False)
    try:
        if target.exists():
            raise FileExistsError(errno.EEXIST, "taken", str(target))
        part.rename(target)
    finally:
        claim.unlink(missing_ok=True)


def _part(target: Path) -> Path:
    return target.with_name(f".{target.name}.{os.getpid()}.part")
