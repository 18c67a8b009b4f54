"""Where one job's unfinished files lie.

The folder is named after what decides its content, so the same command finds what a killed one left behind.
A lock is held while it is in use: a second process doing the same at the same time gets a folder beside it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

_LOCK, _FILES = "lock", "files"
_DYING = 5.0  # seconds that the stages of a killed engine may take to be gone
_SIBLINGS = 1000
_TRIES = 5


class WorkFolder:
    """A claimed folder; a context manager that lets go of it. Made by `claim`."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self.lock = lock  # a stage holds it open as well: the folder is in use until its process is gone

    @property
    def files(self) -> Path:
        """What stages know as their `workdir`."""
        return self.path / _FILES

    def clear(self) -> None:
        """Forget everything in it."""
        for entry in self.path.iterdir():
            if entry.name != _LOCK:
                _remove(entry)
        self.files.mkdir()

    def remove(self) -> None:
        """Give its space back. Renamed first: nobody shall continue what is half removed."""
        aside = self.set_aside("removed")
        for _ in range(_TRIES):  # who came to look for a lock in it a moment ago may have made one
            _remove(aside)
            if not aside.exists():
                return

    def set_aside(self, name: str) -> Path:
        """Rename it so that nobody continues it; where it is now."""
        unlike = secrets.token_hex(4)  # other threads of this process may set aside a folder of the same name
        return self.path.rename(self.path.with_name(f"{self.path.name}.{name}.{unlike}"))

    def release(self) -> None:
        os.close(self.lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def claim(root: Path, key: str, is_reserved: Callable[[str], bool] = lambda _name: False) -> WorkFolder:
    """The folder `root/key`, or the first free one of `key-2`, `key-3` … while others hold it.

    Those whose names are reserved are passed over. Raises OSError where it cannot be made.
    """
    for number in range(1, _SIBLINGS):
        path = root / (key if number == 1 else f"{key}-{number}")
        lock = None if is_reserved(path.name) else _lock(path)
        if lock is not None:
            folder = WorkFolder(path, lock)
            folder.files.mkdir(exist_ok=True)
            return folder
    raise BlockingIOError(f"{_SIBLINGS} processes do the same work in {root}")


def sweep(root: Path, *, age: float) -> list[Path]:
    """Remove the folders that nobody holds and nobody has touched for `age` seconds; which they were."""
    swept = []
    for path in _folders(root):
        with contextlib.suppress(OSError):
            if time.time() - _last_touched(path) > age and (lock := _try_lock(path)) is not None:
                _remove(path)
                os.close(lock)
                swept.append(path)
    return swept


def _folders(root: Path) -> Iterator[Path]:
    if root.is_dir():
        yield from (path for path in root.iterdir() if path.is_dir() and not path.is_symlink())


def _last_touched(path: Path) -> float:
    return max(entry.stat().st_mtime for entry in (path, *path.iterdir()))


def _lock(path: Path) -> int | None:
    """Lock `path`, making it if need be; None while a living process holds it.

    A holder that is dead left stages behind which are being killed at this moment: they are waited for.
    """
    deadline = time.monotonic() + _DYING
    while True:
        with contextlib.suppress(FileExistsError):  # there when it was to be made, and gone a moment later
            path.mkdir(parents=True, exist_ok=True)
        lock = _try_lock(path)
        if lock is not None or _holder_lives(path) or time.monotonic() > deadline:
            return lock
        time.sleep(0.02)


def _try_lock(path: Path) -> int | None:
    try:
        lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:  # removed by its holder a moment ago
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if (path / _LOCK).stat().st_ino == os.fstat(lock).st_ino:  # else we locked what was just removed
            os.truncate(lock, 0)
            os.pwrite(lock, str(os.getpid()).encode(), 0)
            return lock
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(lock)
    return None


def _holder_lives(path: Path) -> bool:
    try:
        os.kill(int((path / _LOCK).read_text()), 0)
    except (ProcessLookupError, FileNotFoundError, ValueError):
        return False
    except PermissionError:  # it lives, and is another user's
        return True
    return True


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
