"""The bytes of an upload on their way: counted, told, and compared with what was announced."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

from renderkiln.storage.errors import Altered
from renderkiln.storage.etag import ETag
from renderkiln.storage.source import Progress, chunks


class Feed:
    """Iterate over it for the file's chunks. `error` is what ended it early, `etag` what a server may say.

    Progress tells of bytes handed on; of the last one only when the file is there, which the caller knows.
    Two threads come here: one that takes chunks, and one that waits for the server.
    """

    def __init__(
        self, path: Path, size: int, sha256: str, part: int | None, progress: Progress | None
    ) -> None:
        self.etag = ETag(part)
        self._path = path
        self._size = size
        self._sha256 = sha256
        self._progress = progress
        self._told = 0
        self._telling = threading.Lock()
        self.error: BaseException | None = None

    def must_end(self) -> bool:
        """Whether the upload is to end: asks whoever hears of its progress.

        To be called while the server is silent, for then nobody takes chunks.
        """
        try:
            self._tell(self._told)
        except BaseException as error:  # noqa: BLE001  whatever it is, it is raised by who waits
            self.error = error
        return self.error is not None

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
            if sent < self._size:
                self._tell(sent)
            yield chunk
        if digest.hexdigest() != self._sha256:
            raise Altered(f"the file {self._path} was changed while it was stored: nothing was")

    def _tell(self, sent: int) -> None:
        with self._telling:
            if self.error is not None:
                raise self.error
            self._told = sent
            if self._progress is not None:
                self._progress(sent)
