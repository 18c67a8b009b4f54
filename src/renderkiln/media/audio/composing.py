"""Composes the demo's track in a process of its own: it compiles its instruments, which takes a while.

python -m renderkiln.media.audio.composing CACHE TRACK.wav
"""

from __future__ import annotations

import sys
from pathlib import Path

from renderkiln.media import kernels


def main(cache: Path, target: Path) -> None:
    """Write the track to `target`, whole or not at all."""
    kernels.use_cache(cache)
    from renderkiln.media.audio.compose import compose, write

    part = target.with_name(target.name + ".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    write(part, compose())
    part.replace(target)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
