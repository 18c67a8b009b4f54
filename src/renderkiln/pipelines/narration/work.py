"""How much work a narration is: its seconds, of one kind if they are made of the same things."""

from __future__ import annotations

from collections.abc import Mapping

from renderkiln.domain.work import Work
from renderkiln.media.speech.estimate import estimate_seconds
from renderkiln.pipelines.contract import Result, Services
from renderkiln.pipelines.narration.length import length_of
from renderkiln.pipelines.narration.params import NarrationParams
from renderkiln.pipelines.speakers import price

_BASE, _SECOND = 1.0, 0.06  # CPU-seconds for any narration, and for a second of it, measured with espeak


def expects(params: NarrationParams, services: Services) -> Work:
    """What speech lasts is estimated; of a recording, it is the duration that was asked for."""
    speaks = params.layers.voice.enabled and params.provider != "file"
    spoken = estimate_seconds(params.script, params.speed) if speaks else 0.0
    length = length_of(params, spoken, bed=bool(params.layers.beds()))
    paid = price(params.voice, len(params.script), services) if speaks else 0.0
    return _work(params, length.seconds, speech=paid)


def did(params: NarrationParams, results: Mapping[str, Result]) -> Work | None:
    """None where some of it had been spoken for another narration."""
    receipt = results["voice"].values["receipt"]
    if receipt is not None and receipt.get("cached"):
        return None
    return _work(params, results["mix"].values["length"]["made"])


def _work(params: NarrationParams, seconds: float, *, speech: float = 0.0) -> Work:
    voice = params.provider if params.layers.voice.enabled else "no voice"
    layers = " ".join(sorted(params.layers.beds()))
    kind = " ".join(filter(None, ["narration", voice, params.output.format, layers]))
    return Work(kind, seconds, "second of sound", guess=_BASE + _SECOND * seconds, speech=speech)
