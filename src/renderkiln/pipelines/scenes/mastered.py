"""The film's sound at its loudness, encoded for its container, and verified."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from renderkiln.domain.errors import Permanent
from renderkiln.media.audio.delivered import Delivered, Ordered, faults
from renderkiln.media.audio.encodings import CONTAINERS, Quality
from renderkiln.media.audio.loudness import integrated
from renderkiln.media.audio.mastering import Master
from renderkiln.media.audio.spool import ENERGY_MS, Spool
from renderkiln.pipelines.mastery import AUDIBLE, Made, make

_PER_HOP = 100 // ENERGY_MS  # energies in a hop of BS.1770


@dataclass(frozen=True)
class Mastered:
    """The file, how it came to its loudness, what was measured in it, and what the user should know."""

    path: Path
    master: Master
    delivered: Delivered
    tries: int
    warnings: tuple[str, ...]


def mastered(
    spool: Spool,
    folder: Path,
    format: Literal["m4a", "opus"],
    *,
    target_lufs: float = -14.0,
    ceiling_dbtp: float = -1.0,
    quality: Quality = "standard",
    progress: Callable[[float, str], None] = lambda _fraction, _message: None,
) -> Mastered | None:
    """AAC or Opus in a file in `folder`, of as many samples as the spool, to be copied into the film.

    None where nothing is heard: no sound reaches −70 LUFS, or there is less than 0.4 s, which has no
    loudness. Raises Permanent with what is wrong with the file, and OSError.
    """
    if not _is_heard(spool):
        return None
    made = make(
        spool,
        folder / f"sound{CONTAINERS[format].suffix}",
        format,
        quality,
        target_lufs=target_lufs,
        ceiling_dbtp=ceiling_dbtp,
        progress=progress,
    )
    ordered = Ordered(spool.samples, target_lufs - made.master.shortfall, ceiling_dbtp)
    if wrong := faults(made.delivered, ordered):
        raise Permanent("The film's sound did not pass verification: " + "; ".join(wrong))
    return Mastered(made.path, made.master, made.delivered, made.tries, tuple(_warnings(made)))


def _is_heard(spool: Spool) -> bool:
    energies = spool.energies()
    hops = energies[: len(energies) // _PER_HOP * _PER_HOP].reshape(-1, _PER_HOP).mean(axis=1)
    return math.isfinite(integrated(hops))


def _warnings(made: Made) -> Iterator[str]:
    if made.master.note:
        yield f"{made.master.note[0].upper()}{made.master.note[1:]}"
    elif made.master.reduction_db > AUDIBLE:
        yield (
            f"The limiter takes up to {made.master.reduction_db:.1f} dB from the loudest moments: "
            "a lower loudness.target_lufs sounds freer"
        )
