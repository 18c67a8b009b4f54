"""Looks at everything that can be wrong with a project before any work is done or paid for."""

from __future__ import annotations

from renderkiln.domain.errors import Permanent
from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.scenes.document.mistakes import path_of
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
    for reference, where in _speakers(params).items():
        try:
            speaker(reference, ctx.services).provider.close()
        except Permanent as error:
            raise Permanent(f"{where}: {error}") from error
    return Result({"scenes": [id for id, _ in params.chosen], "seconds": seconds})


def _speakers(params: ScenesParams) -> dict[str, str]:
    """Who is to speak, and where in the document it says so first."""
    project, chosen = params.project, {id for id, _ in params.chosen}
    found: dict[str, str] = {}
    for number, (id, scene) in enumerate(zip(project.ids, project.scenes, strict=True)):
        if id in chosen and scene.voice is not None and scene.voice.speech is not None:
            own = scene.voice.voice
            where = path_of(("scenes", number, "voice", "voice"), project) if own else "voice"
            found.setdefault(own or project.voice, where)
    return found
