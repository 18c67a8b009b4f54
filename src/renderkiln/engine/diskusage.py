"""What the home folder takes."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from renderkiln.engine.leftover import files_below


@dataclass(frozen=True)
class Usage:
    """Bytes; `free` is what the disk of the home folder still has."""

    database: int
    work: int
    cache: int
    logs: int
    free: int


def usage(home: Path, database: int) -> Usage:
    """What everything in `home` takes, where the database takes `database` bytes."""
    place = next(each for each in (home, *home.absolute().parents) if each.exists())
    work, logs = (sum(file.bytes for file in files_below(home / name)) for name in ("work", "logs"))
    cache = sum(file.own for file in files_below(home / "cache"))
    return Usage(database, work, cache, logs, shutil.disk_usage(place).free)
