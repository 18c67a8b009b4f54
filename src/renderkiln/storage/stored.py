"""What a storage says of the files in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Listed:
    """What a list tells of a file. S3 tells no more without a request for each."""

    key: str
    size: int  # bytes
    etag: str  # with its quotes, as HTTP wants it; "" where there is none
    modified: datetime  # aware


@dataclass(frozen=True)
class Stored(Listed):
    """A file in a storage. `sha256` is None of a file that somebody else has put there."""

    content_type: str
    sha256: str | None
    metadata: Mapping[str, str] = field(default_factory=dict)
    location: str = ""  # the name of the storage that has it


@dataclass(frozen=True)
class Page:
    """Some files in the order of their keys' bytes. `after` asks for the next ones; None: there are none."""

    items: Sequence[Listed]
    after: str | None
