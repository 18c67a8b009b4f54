"""The scenes: a project of scenes in, a film, or a moving picture, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from renderkiln.domain.artifact import Artifact
from renderkiln.domain.retry import Retry
from renderkiln.domain.work import Work
from renderkiln.pipelines.contract import InputFacts, Result, Services, Stage, StageContext
from renderkiln.pipelines.scenes.params import ScenesParams


class Scenes:
    """Fetches what scenes are made of, mixes, draws, joins, verifies and delivers them."""

    name = "scenes"
    version = 2
    queue = "video-rendering"
    takes_file = False
    retry = Retry(attempts=3, first=2.0)
    preload = (
        "numpy",
        "numba",
        "av",
        "skia",
        f"{__name__}.fetch",
        f"{__name__}.sound",
        f"{__name__}.render",
        f"{__name__}.join",
        f"{__name__}.verify",
    )
    Params = ScenesParams

    def stages(self, params: ScenesParams) -> Sequence[Stage]:
        drawing, joining = (
            (45, 17) if params.format == "gif" else (60, 2)
        )  # a gif is encoded when it is joined
        return (
            Stage("prepare", 10, _prepare, "Reading the project"),
            Stage("fetch", 10, _fetch, "Fetching scenes"),
            Stage("sound", 10, _sound, "Mixing the sound"),
            Stage("render", drawing, _render, "Rendering scenes"),
            Stage("join", joining, _join, "Joining scenes"),
            Stage("verify", 3, _verify, "Verifying the film"),
            Stage("deliver", 5, _deliver, "Storing the film", isolated=False),
        )

    def fingerprint(self, params: ScenesParams, services: Services) -> Mapping[str, Any]:
        from renderkiln.pipelines.scenes.identity import identity

        return identity(params, services)

    def files(self, params: ScenesParams) -> Sequence[str]:
        from renderkiln.pipelines.scenes.fetch import named_in

        folder = [params.folder] if params.folder else []
        return [*folder, *dict.fromkeys(each.place for each in named_in(params))]

    def summary(self, results: Mapping[str, Result]) -> Mapping[str, Any]:
        drawn, verified = results["render"].values, results["verify"].values
        look = {name: value for name, value in results["join"].values.items() if name != "size"}
        made = [part for part in drawn["parts"] if not part["reused"]]
        return {
            "video": results["deliver"].values["artifacts"][0]["path"],
            "duration": verified["duration"],
            "frames": drawn["frames"],
            "parts": len(drawn["parts"]),
            "partsReused": len(drawn["parts"]) - len(made),
            "framesDrawn": sum(part["frames"] for part in made),
            "look": look,
            "scenes": results["sound"].values["scenes"],
            "report": verified["report"],
        }

    def artifacts(self, results: Mapping[str, Result]) -> Sequence[Artifact]:
        from renderkiln.pipelines.delivery.deliver import from_values

        return from_values(results["deliver"].values["artifacts"])

    def expects(self, params: ScenesParams, inputs: Sequence[InputFacts], services: Services) -> Work:  # noqa: ARG002  all is in its params
        from renderkiln.pipelines.scenes.work import expects

        return expects(params, services)

    def did(self, params: ScenesParams, results: Mapping[str, Result]) -> Work | None:
        from renderkiln.pipelines.scenes.work import did

        return did(params, results)


# What stages do is imported where they run: a worker itself loads neither Numba nor FFmpeg's libraries.


def _prepare(ctx: StageContext) -> Result:
    from renderkiln.pipelines.scenes.prepare import prepare

    return prepare(ctx)


def _fetch(ctx: StageContext) -> Result:
    from renderkiln.pipelines.scenes.fetch import fetch

    return fetch(ctx)


def _sound(ctx: StageContext) -> Result:
    from renderkiln.pipelines.scenes.sound import sound

    return sound(ctx)


def _render(ctx: StageContext) -> Result:
    from renderkiln.pipelines.scenes.render import render

    return render(ctx)


def _join(ctx: StageContext) -> Result:
    from renderkiln.pipelines.scenes.join import join

    return join(ctx)


def _verify(ctx: StageContext) -> Result:
    from renderkiln.pipelines.scenes.verify import verify

    return verify(ctx)


def _deliver(ctx: StageContext) -> Result:
    from renderkiln.pipelines.scenes.deliver import deliver

    return deliver(ctx)
