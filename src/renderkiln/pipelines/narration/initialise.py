"""Looks at everything that can be wrong before any work is done or paid for."""

from __future__ import annotations

from renderkiln.domain.errors import Permanent
from renderkiln.media.speech.estimate import estimate_seconds
from renderkiln.media.speech.script import BadScript
from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.narration.length import length_of
from renderkiln.pipelines.narration.params import NarrationParams
from renderkiln.pipelines.speakers import recording, speaker

_DOUBT = 1.5  # an estimate that is so many times too long is not off by chance


def initialise(ctx: StageContext) -> Result:
    """Raises Permanent for what can never become a narration."""
    params: NarrationParams = ctx.params
    longest = ctx.services.limits.narration
    asked = (params.duration_min or 0) * 60
    if asked > longest:
        raise Permanent(_too_long(f"duration_min asks for {params.duration_min:g} minutes", longest))
    values = {"characters": 0, "estimatedSeconds": 0.0}
    if params.layers.voice.enabled and recording(params.voice) is None:
        values = _of_script(ctx, params, longest)
    return Result({**values, "provider": params.provider})


def _of_script(ctx: StageContext, params: NarrationParams, longest: float) -> dict[str, float]:
    for reference in (params.voice, *ctx.services.fallback):
        speaker(reference, ctx.services)
    try:
        spoken = estimate_seconds(params.script, params.speed)
    except BadScript as error:
        raise Permanent(f"The script: {error}") from error
    whole = length_of(params, spoken, bed=bool(params.layers.beds()))
    if whole.seconds > longest * _DOUBT:
        raise Permanent(_too_long(f"The script takes about {spoken / 60:.0f} minutes to speak", longest))
    return {"characters": float(len(params.script)), "estimatedSeconds": round(spoken, 1)}


def _too_long(what: str, longest: float) -> str:
    return f"{what}; at most {longest / 60:g} minutes are made (setting max_duration_minutes)"
