"""Makes the best gif of a film that has no more bytes than it may have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from renderkiln.media.ffmpeg.gif import Excerpt, Look
from renderkiln.media.gif.film import Film, Made, Part, Workbench, make, piece
from renderkiln.media.gif.join import Piece
from renderkiln.media.gif.rate import delay

_COLORS, _FEW_COLORS = 128, 64
_LONGEST_DELAY = 20  # centiseconds: with fewer than five frames a second nothing moves
_SAMPLE_FRAMES, _SAMPLED_PARTS = 8, 2
_TRUST = 1.15  # an estimate may be so much too high


def ladder(film: Film, look: Look) -> Sequence[Look]:
    """What can be given up to save bytes, from nothing to all of it.

    Of 18.5 MB for 10 s of photos, text and a clip at 480p the rungs leave 14.5, 10.8, 7.5, 4.4 and 2.1.
    """
    rungs = [look]
    if look.colors > _COLORS:
        rungs.append(replace(look, colors=_COLORS))
    rungs.append(replace(look, colors=min(look.colors, _FEW_COLORS), dither="weak-bayer"))
    if delay(film.fps) * look.step * 2 <= _LONGEST_DELAY:
        rungs.append(replace(rungs[-1], step=look.step * 2))
    for share in (0.75, 0.5):
        rungs.append(replace(rungs[-1], width=_scaled(look.width, share), height=_scaled(look.height, share)))
    return rungs


def fit(film: Film, look: Look, most: int, output: Path, bench: Workbench) -> Made:
    """The first gif of the ladder that has at most `most` bytes, else its last: compare `bytes`.

    A sample tells which rungs are not worth trying. Raises as `make` does.
    """
    made = whole = make(film, look, output, bench)
    if made.bytes <= most:
        return made
    sampled = _sample(film, look, bench)
    *between, last = ladder(film, look)[1:]
    for rung in between:
        if whole.bytes * _sample(film, rung, bench) / sampled <= most * _TRUST:
            made = make(film, rung, output, bench)
            if made.bytes <= most:
                return made
    return make(film, last, output, bench)


def _sample(film: Film, look: Look, bench: Workbench) -> int:
    """How many bytes a few frames from the middle of the heaviest parts take."""

    def sample(part: Part, name: str) -> Piece:
        frames = min(part.frames, _SAMPLE_FRAMES)
        # Half a frame early: a time that falls on a frame must not miss it by its last digit
        start = max(0.0, float(((part.frames - frames) // 2 - Fraction(1, 2)) / film.fps))
        return piece(part.path, Excerpt(frames, start), look, delay(film.fps), name, bench)

    heaviest = sorted(film.parts, key=lambda part: part.path.stat().st_size)[-_SAMPLED_PARTS:]
    size = 0
    for each in bench.each(heaviest, sample):
        size += each.path.stat().st_size
        each.path.unlink()
    return size


def _scaled(length: int, share: float) -> int:
    return max(2, round(length * share / 2) * 2)
