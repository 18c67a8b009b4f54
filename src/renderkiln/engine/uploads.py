"""Uploads that may break off and go on: half a file each, with notes beside it, until it is whole."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from renderkiln.domain.errors import UserError

_ID = re.compile(r"upl_[0-9a-f]{32}")


class Busy(UserError):
    """Somebody is writing to the upload."""


class TooMany(UserError):
    """The account has begun as many uploads as it may."""


@dataclass(frozen=True)
class Upload:
    """What was said when it began. `asset` is what has become of it. Sizes are in bytes."""

    id: str
    account: str
    name: str
    length: int
    url: str | None = None  # it is fetched from there; its length is not known before
    asset: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class Uploads:
    """Uploads in a folder of this machine: how far each is says the size of its file, and nothing else.

    One without a file has ended, whichever way. Ids begin with a mark of their account, so that those of the
    others need not be read.
    """

    folder: Path
    most: int = 100  # of one account at once
    kept: int = 1000  # of those that have ended, of one account

    def begin(self, account: str, name: str, length: int, url: str | None = None) -> Upload:
        """A new one. Raises TooMany."""
        self.folder.mkdir(parents=True, exist_ok=True)
        own = f"upl_{hashlib.sha256(account.encode()).hexdigest()[:8]}"
        if sum(1 for _ in self.folder.glob(f"{own}*.part")) >= self.most:
            raise TooMany(f"{self.most} uploads have begun and not ended: finish or delete some")
        self._forget_ended(own)
        upload = Upload(f"{own}{secrets.token_hex(12)}", account, name, length, url)
        self.file(upload).touch(mode=0o600)
        self._note(upload)
        return upload

    def find(self, id: str) -> Upload | None:
        """The upload, if it is known; its file may be gone, or an asset already."""
        if _ID.fullmatch(id) is None:
            return None
        try:
            return Upload(**json.loads(self._notes(id).read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def offset(self, upload: Upload) -> int:
        """Bytes that have come."""
        if upload.error is not None:
            return 0
        return upload.length if upload.asset is not None else self.file(upload).stat().st_size

    @contextmanager
    def alone(self, upload: Upload) -> Iterator[int]:
        """An open file of it, at its end, that nobody else writes to. Raises Busy."""
        handle = os.open(self.file(upload), os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Busy("another request is writing to this upload") from None
            os.utime(self._notes(upload.id))  # what nobody touches is swept
            yield handle
        finally:
            os.close(handle)

    def finish(self, upload: Upload, asset: str) -> None:
        """Note what has become of it; whoever asks later hears of it."""
        self._note(replace(upload, asset=asset))

    def remove(self, upload: Upload) -> None:
        """Forget it."""
        self.file(upload).unlink(missing_ok=True)
        self._notes(upload.id).unlink(missing_ok=True)

    def fail(self, upload: Upload, error: str) -> None:
        """Note why nothing has become of it."""
        self._note(replace(upload, error=error))
        self.file(upload).unlink(missing_ok=True)

    def unfinished(self) -> Iterator[Upload]:
        """Those of which neither an asset nor an error has become."""
        found = (self.find(path.stem) for path in self.folder.glob("upl_*.part"))
        return (each for each in found if each is not None and each.asset is None and each.error is None)

    def file(self, upload: Upload) -> Path:
        """Where its bytes are."""
        return self.folder / f"{upload.id}.part"

    def _notes(self, id: str) -> Path:
        return self.folder / f"{id}.json"

    def _note(self, upload: Upload) -> None:
        half = self.folder / f"{upload.id}.{secrets.token_hex(4)}.half"
        half.write_text(json.dumps(asdict(upload)))
        half.rename(self._notes(upload.id))

    def _forget_ended(self, own: str) -> None:
        """Remove the oldest notes of an account where it has too many: who only fails fills no disk."""
        ended = [each for each in self.folder.glob(f"{own}*.json") if not each.with_suffix(".part").exists()]
        if len(ended) < self.kept:
            return
        for path in sorted(ended, key=_age)[: len(ended) - self.kept + 1]:
            path.unlink(missing_ok=True)


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # another request was quicker
        return 0.0
