"""The folders of a local storage, entered step by step so that no symbolic link leads out of them."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def entered(root: Path, names: Sequence[str], *, create: bool = False) -> Iterator[int]:
    """A descriptor of the folder `names` below `root`; `create` makes what is missing, for good (fsync).

    Raises `OSError`: ELOOP or ENOTDIR where a link or a file is in the way.
    """
    here = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in names:
            below = _below(here, name, create=create)
            os.close(here)
            here = below
        yield here
    finally:
        os.close(here)


def file_in(folder: int, name: str) -> os.stat_result | None:
    """The file of that name, None where there is none or something else."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def remove_empty(root: Path, names: Sequence[str]) -> None:
    """Remove the folder `names` and those above it, but not the first, as far as they are empty."""
    with contextlib.suppress(OSError):
        for count in range(len(names), 1, -1):
            with entered(root, names[: count - 1]) as above:
                os.rmdir(names[count - 1], dir_fd=above)


def files_below(folder: int, prefix: str, after: str) -> Iterator[tuple[str, os.stat_result]]:
    """All files in the folder and below, as (path, facts), in the order of their paths' bytes, after `after`.

    Links are passed over. `prefix` is the folder's own path: "" or one that ends in a slash.
    """
    with os.scandir(folder) as entries:
        found = [(f"{each.name}/" if each.is_dir(follow_symlinks=False) else each.name) for each in entries]
    for name in sorted(found, key=os.fsencode):
        path = prefix + name
        if not name.endswith("/"):
            if _precedes(after, path) and (facts := file_in(folder, name)):
                yield path, facts
        elif _precedes(after, path) or after.startswith(path):
            yield from _files_in(folder, name[:-1], path, after)


def _files_in(folder: int, name: str, path: str, after: str) -> Iterator[tuple[str, os.stat_result]]:
    try:
        below = os.open(name, _FOLDER, dir_fd=folder)
    except (FileNotFoundError, NotADirectoryError):  # removed meanwhile
        return
    try:
        yield from files_below(below, path, after)
    finally:
        os.close(below)


def _precedes(one: str, other: str) -> bool:
    return os.fsencode(one) < os.fsencode(other)


def _below(folder: int, name: str, *, create: bool) -> int:
    try:
        return os.open(name, _FOLDER, dir_fd=folder)
    except FileNotFoundError:
        if not create:
            raise
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, dir_fd=folder)
        os.fsync(folder)
    return os.open(name, _FOLDER, dir_fd=folder)
