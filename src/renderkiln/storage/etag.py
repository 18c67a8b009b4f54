"""The ETag that S3 gives a file, computed from its bytes: most servers tell so what they have received."""

from __future__ import annotations

import hashlib


class ETag:
    """Of a file sent whole (`part` None): its MD5. Of one sent in parts: the MD5 of their MD5s, and a count.

    Where a bucket encrypts with keys of its own (KMS), an ETag is something else. `part` is in bytes.
    """

    def __init__(self, part: int | None) -> None:
        self._part = part
        self._now = _md5(b"")
        self._in_part = 0
        self._parts: list[bytes] = []

    def add(self, chunk: bytes) -> None:
        left = memoryview(chunk)
        while left:
            room = len(left) if self._part is None else self._part - self._in_part
            self._now.update(left[:room])
            self._in_part += len(left[:room])
            left = left[room:]
            if self._in_part == self._part:
                self._end_part()

    @property
    def value(self) -> str:
        """With its quotes, after the last byte."""
        if self._part is None:
            return f'"{self._now.hexdigest()}"'
        if self._in_part:
            self._end_part()
        return f'"{_md5(b"".join(self._parts)).hexdigest()}-{len(self._parts)}"'

    def _end_part(self) -> None:
        self._parts.append(self._now.digest())
        self._now, self._in_part = _md5(b""), 0


def _md5(content: bytes) -> hashlib._Hash:
    return hashlib.md5(content, usedforsecurity=False)
