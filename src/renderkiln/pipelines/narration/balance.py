"""How far the voice stands above what plays under it, heard in the mix itself."""

from __future__ import annotations

import math

import numpy as np

from renderkiln.media.audio.duck import Duck
from renderkiln.media.audio.spool import ENERGY_MS, Spool

_EDGE = 60  # milliseconds at both ends of a phrase, where a word swells or dies away
_ENOUGH = 200 // ENERGY_MS  # energies


def voice_to_bed(spool: Spool, duck: Duck | None) -> float | None:
    """LU between the mix while the voice speaks and the mix beside it, within the narration.

    None without a voice, without a rest in it, or where nothing is heard in the rests.
    """
    if duck is None or len(duck.phrases) < 2:
        return None
    energies = spool.energies()
    speaking = np.zeros(len(energies), bool)
    resting = np.zeros(len(energies), bool)
    first, last = duck.phrases[0][0] // ENERGY_MS, duck.phrases[-1][1] // ENERGY_MS
    resting[first:last] = True
    for start, end in duck.phrases:
        speaking[(start + _EDGE) // ENERGY_MS : (end - _EDGE) // ENERGY_MS] = True
        resting[max(0, start - _EDGE) // ENERGY_MS : (end + _EDGE) // ENERGY_MS + 1] = False
    if speaking.sum() < _ENOUGH or resting.sum() < _ENOUGH:
        return None
    voice, bed = float(energies[speaking].mean()), float(energies[resting].mean())
    return round(10 * math.log10(voice / bed), 1) if bed > 1e-9 else None
