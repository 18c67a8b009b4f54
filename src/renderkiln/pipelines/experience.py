"""How fast films of a kind were made here before: so a long one's time is known before its first frame."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

_FILE = "speeds.json"  # frames per second by kind of film, in the cache folder


def speed_before(cache: Path, kind: str) -> float | None:
    """Frames per second of the last film of this kind; None if there was none."""
    fps = _speeds(cache).get(kind)
    return fps if isinstance(fps, int | float) and fps > 0 else None


def remember(cache: Path, kind: str, fps: float) -> None:
    """Of two films that end at the same moment, one may be forgotten. A full disk forgets, too."""
    part = cache / f".{_FILE}.{os.getpid()}.part"
    with contextlib.suppress(OSError):
        cache.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(_speeds(cache) | {kind: round(fps, 2)}))
        part.replace(cache / _FILE)
    with contextlib.suppress(OSError):
        part.unlink(missing_ok=True)


def _speeds(cache: Path) -> dict[str, object]:
    try:
        known = json.loads((cache / _FILE).read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
