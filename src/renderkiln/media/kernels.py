"""Where compiled kernels are kept, so that only the first run compiles."""

from __future__ import annotations

import hashlib
import os
from importlib.metadata import version
from pathlib import Path

_SOURCES = Path(__file__).parents[1]


def cache_folder(base: Path) -> Path:
    """The folder below `base` for kernels compiled from exactly these sources.

    Numba notices when a kernel's own file changes, but not when a function inlined from another file does:
    so every change of any source file begins a new folder.
    """
    digest = hashlib.sha256(version("numba").encode())
    for path in sorted(_SOURCES.rglob("*.py")):
        status = path.stat()
        digest.update(f"{path}:{status.st_mtime_ns}:{status.st_size}".encode())
    return base / f"kernels-{digest.hexdigest()[:12]}"


def use_cache(base: Path) -> None:
    """Make Numba keep its kernels below `base`. To be called before anything imports Numba.

    A folder the user named through NUMBA_CACHE_DIR is left as it is. Child processes inherit the choice.
    """
    os.environ.setdefault("NUMBA_CACHE_DIR", str(cache_folder(base)))


def are_compiled(folder: str) -> bool:
    """Whether kernels of the source folder of this name are in the cache; if not, the next frame is slow."""
    cache = os.environ.get("NUMBA_CACHE_DIR")
    return cache is not None and any(Path(cache).glob(f"{folder}_*/*.nbi"))
