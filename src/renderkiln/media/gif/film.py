"""Makes a gif of parts in lossless H.264: a palette and a gif of each, side by side, then one of all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from renderkiln.media.ffmpeg.command import Command
from renderkiln.media.ffmpeg.gif import Excerpt, Look, gif, palette
from renderkiln.media.gif.join import Piece, join
from renderkiln.media.gif.rate import delay


@dataclass(frozen=True)
class Part:
    """A piece of a film, as `encode_part` makes it with the codec `lossless`: `frames` frames in `path`."""

    path: Path
    frames: int


@dataclass(frozen=True)
class Film:
    """All parts in their order, at a rate that a gif can have (see `rate`)."""

    parts: Sequence[Part]
    fps: Fraction

    @property
    def frames(self) -> int:
        """How many all parts have."""
        return sum(part.frames for part in self.parts)


@dataclass(frozen=True)
class Workbench:
    """What gifs are made with: `run` runs a command, in `workers` threads; what passes lies in `folder`."""

    run: Callable[[Command], object]
    folder: Path
    workers: int = 2

    def each(self, parts: Sequence[Part], work: Callable[[Part, str], Piece]) -> Sequence[Piece]:
        """What `work` makes of every part, given a name that is its own, in the order of the parts."""
        with ThreadPoolExecutor(self.workers, thread_name_prefix="gif") as pool:
            return list(pool.map(work, parts, (f"piece-{number:05d}" for number in range(len(parts)))))


@dataclass(frozen=True)
class Made:
    """A finished gif. `pictures` are stored in it: those frames that differ from the one before."""

    look: Look
    bytes: int
    pictures: int


def make(film: Film, look: Look, output: Path, bench: Workbench) -> Made:
    """Make `film` look so, for as long as its parts last whatever `look.step`.

    Raises what `bench.run` raises, ValueError for a rate that a gif cannot have, OSError.
    """
    shown = delay(film.fps)
    pieces = bench.each(
        film.parts, lambda part, name: piece(part.path, Excerpt(part.frames), look, shown, name, bench)
    )
    pictures = join(pieces, output, look.width, look.height)
    for each in pieces:
        each.path.unlink()
    return Made(look, output.stat().st_size, pictures)


def piece(part: Path, excerpt: Excerpt, look: Look, shown: int, name: str, bench: Workbench) -> Piece:
    """A gif of an excerpt of one part in a palette of its own; a frame is shown `shown` centiseconds."""
    colors, path = bench.folder / f"{name}.png", bench.folder / f"{name}.gif"
    bench.run(palette(part, excerpt, look, colors))
    bench.run(gif(part, colors, excerpt, look, path))
    colors.unlink()
    # The last frame of those that are left fills what the step leaves over
    steps = (min(look.step, excerpt.frames - first) for first in range(0, excerpt.frames, look.step))
    return Piece(path, [step * shown for step in steps])
