"""Looks at everything that can be wrong with a project before any work is done or paid for."""

from __future__ import annotations

from renderkiln.domain.errors import Permanent
from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.scenes.document.references import check_references
from renderkiln.pipelines.scenes.document.times import least_seconds
from renderkiln.pipelines.scenes.params import ScenesParams
from renderkiln.pipelines.speakers import speaker


def prepare(ctx: StageContext) -> Result:
    """Raises Permanent for what can never become a film."""
    params: ScenesParams = ctx.params
    if mistakes := check_references(params.film):
        raise Permanent("The project: " + "; ".join(f"{each.path}: {each.message}" for each in mistakes[:5]))
    seconds, _ = least_seconds(params.film)
    if seconds > ctx.services.limits.duration:
        raise Permanent(
            f"The film would last {seconds / 60:.0f} minutes; at most "
            f"{ctx.services.limits.duration / 60:g} are made (setting max_duration)"
        )
    voices = {
        scene.voice.voice or params.project.voice
        for _, scene in params.chosen
        if scene.voice and scene.voice.speech
    }
    for reference in sorted(voices):
        speaker(reference, ctx.services)
    return Result({"scenes": [id for id, _ in params.chosen], "seconds": seconds})
