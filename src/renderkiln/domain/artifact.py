"""An output file, verified and named."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Artifact:
    """A finished file under its final name. `kind`: video, audio, thumbnail, peaks, report …"""

    kind: str
    path: Path
    size: int  # bytes
    sha256: str
    content_type: str
