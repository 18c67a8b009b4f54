"""Takes the files of a job in: looks that they can be read, and knows them by their content."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import threading
from pathlib import Path

from renderkiln.domain.asset import Asset
from renderkiln.domain.errors import Stopped, UserError

_CHUNK = 1 << 20


def take_in(path: Path, *, largest: int, stop: threading.Event) -> Asset:
    """The file at `path`, read once to hash it. `largest` is in bytes.

    Raises UserError for what is missing, no regular file, forbidden or too large; Stopped.
    """
    try:
        # Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            size = _checked_size(path, os.fstat(fd), largest)
            digest = _sha256(fd, stop)
        finally:
            os.close(fd)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {_reason(error)}") from error
    except ValueError as error:  # a NUL in its name
        raise UserError(f"{str(path)!r} is not the name of a file: {error}") from error
    return Asset(path=path.absolute(), name=path.name, size=size, sha256=digest)


def prepare_output(folder: Path) -> Path:
    """Make `folder` if it is missing, see that it can be written to, and return its real path.

    Raises UserError.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder.resolve()
    except (OSError, ValueError) as error:
        reason = _reason(error) if isinstance(error, OSError) else str(error)
        raise UserError(f"the output folder {folder} cannot be written to: {reason}") from error


def _checked_size(path: Path, facts: os.stat_result, largest: int) -> int:
    if stat.S_ISDIR(facts.st_mode):
        raise UserError(f"{path} is a folder, not a file")
    if not stat.S_ISREG(facts.st_mode):
        raise UserError(f"{path} is a pipe, socket or device, not a file")
    if facts.st_size > largest:
        raise UserError(
            f"{path} has {facts.st_size} bytes; the largest file taken has {largest} (setting max_file_size)"
        )
    return facts.st_size


def _sha256(fd: int, stop: threading.Event) -> str:
    digest = hashlib.sha256()
    while chunk := os.read(fd, _CHUNK):
        digest.update(chunk)
        if stop.is_set():
            raise Stopped("stopped while the input was read")
    return digest.hexdigest()


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
