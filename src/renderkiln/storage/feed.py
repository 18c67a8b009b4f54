"""The bytes of an upload on their way: counted, told, and compared with what was announced."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from renderkiln.storage.errors import Refused
from renderkiln.storage.etag import ETag
from renderkiln.storage.source import Progress, chunks


class Feed:
    """Iterate over it for the file's chunks. `error` is what ended it early, `etag` what a server may say.

    Progress tells of bytes handed on; of the last one only when the file is there, which the caller knows.
    """

    def __init__(
        self, path: Path, size: int, sha256: str, part: int | None, progress: Progress | None
    ) -> None:
        self.etag = ETag(part)
        self._path = path
        self._size = size
        self._sha256 = sha256
        self._progress = progress
        self.error: BaseException | None = None

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._chunks()
        except GeneratorExit:
            raise
        except BaseException as error:
            self.error = error  # the uploader may lose it over its own trouble
            raise

    def _chunks(self) -> Iterator[bytes]:
        sent, digest = 0, hashlib.sha256()
        for chunk in chunks(self._path):
            digest.update(chunk)
            self.etag.add(chunk)
            sent += len(chunk)
            if self._progress is not None and sent < self._size:
                self._progress(sent)
            yield chunk
        if digest.hexdigest() != self._sha256:
            raise Refused(f"the file {self._path} was changed while it was stored: nothing was")
