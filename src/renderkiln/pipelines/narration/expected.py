"""The tones that must be found in the finished file."""

from __future__ import annotations

from collections.abc import Mapping

from renderkiln.media.audio.tonemeter import Expected
from renderkiln.pipelines.contract import Result
from renderkiln.pipelines.narration.leaving import beds_left
from renderkiln.pipelines.narration.params import Binaural, NarrationParams, Solfeggio


def expected_tones(params: NarrationParams, results: Mapping[str, Result]) -> list[Expected]:
    """Those that hold still: a tone that glides has no one frequency."""
    found: list[Expected] = []
    for layer in beds_left(params.layers.beds(), results).values():
        match layer:
            case Solfeggio(schedule=()):
                found.append(Expected(layer.hz))
            case Binaural(schedule=()):
                found += [Expected(layer.carrier, 0), Expected(layer.carrier + layer.beat, 1)]
    return found
