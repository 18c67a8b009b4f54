"""The films that are asked for again and again, and what each of them is: rendered once, undisturbed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from renderkiln import Renderkiln, Settings

PIPELINE = "visualizer"


@dataclass(frozen=True)
class Piece:
    """One film of a song. `sha256` is that of each kind of file that belongs to it."""

    song: Path
    params: Mapping[str, Any]
    sha256: Mapping[str, str]


def pieces(folder: Path, number: int, seconds: float) -> Sequence[Piece]:
    """`number` films that differ in their seed alone: all want the same file name."""
    folder.mkdir(parents=True, exist_ok=True)
    song = _song(folder / "song.wav", seconds)
    with Renderkiln.open(Settings(home=folder / "home")) as kiln:
        return [_piece(kiln, song, seed, folder / "undisturbed") for seed in range(1, number + 1)]


def _piece(kiln: Renderkiln, song: Path, seed: int, output: Path) -> Piece:
    params = {"format": "preview", "quality": "draft", "fps": 24, "seed": seed}
    report = kiln.run(kiln.job(PIPELINE, song, params), output=output)
    assert report.succeeded, report.error
    return Piece(song, params, {each.kind: each.sha256 for each in report.artifacts})


def _song(path: Path, seconds: float) -> Path:
    # Imported late: where Numba keeps its kernels is settled when it is imported.
    from renderkiln.media.audio.compose import compose, write
    from renderkiln.media.audio.studio.synth import RATE

    track = compose()
    samples = round(seconds * RATE)
    write(path, np.tile(track, (-(-samples // len(track)), 1))[:samples])
    return path
