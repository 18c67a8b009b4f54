"""An input file, known by its content."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Asset:
    """An input of a job. `name` is what its owner calls it; `path` is where it lies now."""

    path: Path
    name: str
    size: int  # bytes
    sha256: str
