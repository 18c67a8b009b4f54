"""A mix brought to its loudness and encoded, and the file that came of it measured until it is right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from renderkiln.media.audio.delivered import Delivered, measure
from renderkiln.media.audio.encode import encode
from renderkiln.media.audio.encodings import Format, Quality, encoding
from renderkiln.media.audio.mastering import Master, solve
from renderkiln.media.audio.spool import Spool
from renderkiln.media.audio.tags import Tags
from renderkiln.media.audio.tonemeter import Expected

AUDIBLE = 8.0  # dB: less than that, a look-ahead limiter hides
_TRIES = 4  # the first one is almost always right; peaks that an encoder adds take a second
_SPARE = 0.05  # dB more than a peak was too high
_CLOSE = 0.08  # LU: nearer than the file has to be


@dataclass(frozen=True)
class Made:
    """A file, how it was made, and what is in it."""

    path: Path
    master: Master
    delivered: Delivered
    tries: int


def make(
    spool: Spool,
    path: Path,
    format: Format,
    quality: Quality,
    *,
    target_lufs: float,
    ceiling_dbtp: float,
    progress: Callable[[float, str], None],
    tags: Tags | None = None,
    tones: Sequence[Expected] = (),
) -> Made:
    """Encode, decode and measure, and correct by what was measured; what is still wrong, `faults` tells.

    `progress` is told what fraction is done. Raises Unsuitable when the mix is silent or too short to have a
    loudness, and OSError.
    """
    chosen = encoding(format, quality)
    goal, ceiling = target_lufs, ceiling_dbtp - chosen.ceiling_margin_db
    for number in range(1, _TRIES + 1):
        solved = solve(spool, target_lufs=goal, ceiling_dbtp=ceiling)
        path.unlink(missing_ok=True)  # the one that is there may have been published
        encode(
            solved.blocks(spool, chosen.attenuation_db),
            path,
            format,
            quality,
            tags,
            _reported(progress, spool, number, 0.0, 0.8),
        )
        delivered = measure(path, tones=tones, on_samples=_reported(progress, spool, number, 0.8, 0.2))
        made = Made(path, solved, delivered, number)
        off = target_lufs - solved.shortfall - delivered.loudness.integrated
        over = delivered.loudness.true_peak - ceiling_dbtp
        if abs(off) <= _CLOSE and over <= 0:
            break
        if abs(off) > _CLOSE:
            goal += off
        if over > 0:
            ceiling -= over + _SPARE
    return made


def _reported(
    progress: Callable[[float, str], None], spool: Spool, number: int, start: float, share: float
) -> Callable[[int], None]:
    message = "Normalising" if number == 1 else f"Normalising, corrected {number - 1} ×"

    def report(samples: int) -> None:
        done = start + share * min(1.0, samples / spool.samples)
        progress(1 - (1 - done) / number, message)  # each further try has less to go

    return report
