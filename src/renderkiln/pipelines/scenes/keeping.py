"""Parts of films that were drawn once, kept for the next job that has the same ones."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from renderkiln.domain.fingerprint import file_sha256


@dataclass(frozen=True)
class Kept:
    """A part in the cache: how many frames it has, what it took to draw and encode them, what they are.

    `packets` is the digest of its pictures when they were verified (`media.packets`), None of one for a gif.
    """

    frames: int
    seconds: float
    packets: str | None


class PartCache:
    """Parts in `folder` under the fingerprint of all that decides how they look.

    Safe for many processes: a file appears whole or not at all, and one that a power cut has damaged is drawn
    anew. How much is kept is for others to decide: a file's time is its last use.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def take(self, key: str, target: Path) -> Kept | None:
        """Put the part under `key` at `target`; None when there is none or it is damaged."""
        path, facts = self._paths(key, target.suffix)
        try:
            told = json.loads(facts.read_text())
            kept = Kept(int(told["frames"]), float(told["seconds"]), told["packets"])
            _copy(path, target)
            if file_sha256(target) != told["sha256"]:
                target.unlink()
                return None
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
            os.utime(facts)
        return kept

    def keep(self, key: str, made: Path, kept: Kept) -> None:
        """Keep the finished part at `made`. What cannot be kept, for want of space, is not."""
        path, facts = self._paths(key, made.suffix)
        told = {**asdict(kept), "sha256": file_sha256(made)}
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=f".{key[:16]}-", dir=path.parent) as hidden:
                part = Path(hidden) / "part"
                _copy(made, part)
                part.replace(path)
                part.write_text(json.dumps(told))
                part.replace(facts)  # last: without it the part is not found

    def _paths(self, key: str, suffix: str) -> tuple[Path, Path]:
        path = self._folder / key[:2] / f"{key}{suffix}"
        return path, path.with_suffix(".json")


def _copy(source: Path, target: Path) -> None:
    # A copy, never a link: FFmpeg writes into files that are there.
    target.unlink(missing_ok=True)
    shutil.copyfile(source, target)
