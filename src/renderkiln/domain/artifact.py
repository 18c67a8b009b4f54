"""An output file, verified and named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Visibility = Literal["public", "private"]


@dataclass(frozen=True)
class Kept:
    """Where a storage has a file: `location` is the storage's name."""

    location: str
    visibility: Visibility
    key: str

    def __str__(self) -> str:
        return f"{self.location}: {self.visibility}/{self.key}"


@dataclass(frozen=True)
class Artifact:
    """A finished file under its final name. `kind`: video, audio, thumbnail, peaks, report …

    `facts` is what its pipeline says about it, as small JSON: the effects of a variation. One that is `kept`
    by a storage lies at its path no longer.
    """

    kind: str
    path: Path
    size: int  # bytes
    sha256: str
    content_type: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    kept: Kept | None = None
