"""What decides the variations of a clip besides params: the effects, the FFmpeg build, the encoder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from renderkiln.media.ffmpeg.binary import build
from renderkiln.pipelines.contract import Services
from renderkiln.pipelines.variations.effect import Effect, Picture
from renderkiln.pipelines.variations.encoder import encoding_of
from renderkiln.pipelines.variations.params import VariationsParams, installed

_SAMPLE = Picture(1920, 1080, Fraction(25), 10.0)


def identity(params: VariationsParams, services: Services) -> Mapping[str, Any]:
    """Plain values. An effect is known by its filter texts, so a plug-in need not count its versions."""
    return {
        "ffmpeg": build(services.ffmpeg),
        "encoder": encoding_of(params, services).encoder,
        "effects": {each.name: _text_hash(each) for each in installed()},
    }


def _text_hash(effect: Effect) -> str:
    values = sorted({value for ladder in effect.ladder.values() for value in ladder})
    texts = [
        [
            value,
            effect.picture(value, _SAMPLE) if effect.picture else None,
            effect.sound(value) if effect.sound else None,
        ]
        for value in values
    ]
    ladder = {str(name): list(steps) for name, steps in effect.ladder.items()}
    said = json.dumps([ladder, effect.chance, effect.group, effect.order, texts], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]
