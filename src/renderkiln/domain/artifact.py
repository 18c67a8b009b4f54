"""An output file, verified and named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Artifact:
    """A finished file under its final name. `kind`: video, audio, thumbnail, peaks, report …

    `facts` is what its pipeline says about it, as small JSON: the effects of a variation.
    """

    kind: str
    path: Path
    size: int  # bytes
    sha256: str
    content_type: str
    facts: Mapping[str, Any] = field(default_factory=dict)
