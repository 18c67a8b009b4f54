"""Where the bytes of a new file come from: a file, an open file, or chunks."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from renderkiln.storage.errors import Refused
from renderkiln.storage.trouble import trouble

CHUNK = 2**20  # bytes

Source = Path | BinaryIO | Iterable[bytes]
Progress = Callable[[int], None]  # hears of the bytes stored so far; what it raises ends the transfer


def chunks(source: Source) -> Iterator[bytes]:
    """The bytes of the source, a MiB at a time where it is a file; raises `Refused` if it cannot be read."""
    if isinstance(source, Path):
        yield from _of_path(source)
    elif hasattr(source, "read"):
        while chunk := source.read(CHUNK):
            yield chunk
    else:
        yield from source


@contextmanager
def spooled(source: Source, folder: Path | None) -> Iterator[Path]:
    """The source as a file that can be read more than once: itself, or a temporary one in `folder`."""
    if isinstance(source, Path):
        yield source
        return
    where = f"the folder {folder or tempfile.gettempdir()}"
    with trouble(where):
        file = tempfile.NamedTemporaryFile(prefix="renderkiln-", dir=folder)  # noqa: SIM115  `trouble` ends here
    with file:
        for chunk in chunks(source):
            with trouble(where):
                file.write(chunk)
        with trouble(where):
            file.flush()
        yield Path(file.name)


def measure(path: Path, sha256: str | None, progress: Progress | None = None) -> tuple[int, str]:
    """(bytes, SHA-256) of a file, which is read if its `sha256` is not known; `Refused` if it cannot be."""
    if sha256 is not None:
        size = _size(path)
        if progress is not None:
            progress(size)
        return size, sha256
    size, digest = 0, hashlib.sha256()
    for chunk in chunks(path):
        size += len(chunk)
        digest.update(chunk)
        if progress is not None:
            progress(size)
    return size, digest.hexdigest()


def _size(path: Path) -> int:
    with _readable(path):
        return path.stat().st_size


def _of_path(path: Path) -> Iterator[bytes]:
    with _readable(path), path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Refused(f"the file {path} cannot be read: {error.strerror}") from error
