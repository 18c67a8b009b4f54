"""Variations: a clip in, many unique variants of it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from renderkiln.domain.artifact import Artifact
from renderkiln.domain.retry import Retry
from renderkiln.domain.work import Work
from renderkiln.pipelines.contract import InputFacts, Result, Services, Stage, StageContext
from renderkiln.pipelines.variations.params import VariationsParams


class Variations:
    """Makes variants of a clip that differ measurably, and delivers all of them or none."""

    name = "variations"
    version = 1
    queue = "video-rendering"
    takes_file = True
    retry = Retry(attempts=3, first=10.0)
    preload = (
        "numpy",
        "numba",
        "av",
        "skia",
        f"{__name__}.look",
        f"{__name__}.draw",
        f"{__name__}.render",
        f"{__name__}.compare",
    )
    Params = VariationsParams

    def stages(self, params: VariationsParams) -> Sequence[Stage]:  # noqa: ARG002 - the same for all
        return (
            Stage("look", 1, _look, "Looking at the clip"),
            Stage("draw", 2, _draw, "Choosing effects"),
            Stage("render", 95, _render, "Rendering variations"),
            Stage("compare", 1, _compare, "Comparing the variations"),
            Stage("deliver", 1, _deliver, "Naming the variations", isolated=False),
        )

    def fingerprint(self, params: VariationsParams, services: Services) -> Mapping[str, Any]:
        from renderkiln.pipelines.variations.identity import identity

        return identity(params, services)

    def files(self, params: VariationsParams) -> Sequence[str]:  # noqa: ARG002  they name none
        return ()

    def summary(self, results: Mapping[str, Result]) -> Mapping[str, Any]:
        artifacts = self.artifacts(results)
        rows = results["compare"].values["variations"]
        return {
            "folder": results["deliver"].values["folder"],
            "duration": results["look"].values["duration"],
            "frames": sum(row["frames"] for row in rows),
            "madeSeconds": sum(row["seconds"] for row in rows),
            "closest": results["compare"].values["closest"],
            "variations": [
                {**row, "path": str(film.path), "size": film.size, "sha256": film.sha256}
                for row, film in zip(rows, artifacts, strict=False)  # the films come first
            ],
        }

    def artifacts(self, results: Mapping[str, Result]) -> Sequence[Artifact]:
        from renderkiln.pipelines.delivery.deliver import from_values

        return from_values(results["deliver"].values["artifacts"])

    def expects(
        self,
        params: VariationsParams,
        inputs: Sequence[InputFacts],
        services: Services,  # noqa: ARG002  nobody speaks
    ) -> Work | None:
        from renderkiln.pipelines.variations.work import expects

        return expects(params, inputs)

    def did(self, params: VariationsParams, results: Mapping[str, Result]) -> Work:
        from renderkiln.pipelines.variations.work import did

        return did(params, results)


# What stages do is imported where they run: a worker itself loads neither Numba nor FFmpeg's libraries.


def _look(ctx: StageContext) -> Result:
    from renderkiln.pipelines.variations.look import look

    return look(ctx)


def _draw(ctx: StageContext) -> Result:
    from renderkiln.pipelines.variations.draw import draw

    return draw(ctx)


def _render(ctx: StageContext) -> Result:
    from renderkiln.pipelines.variations.render import render

    return render(ctx)


def _compare(ctx: StageContext) -> Result:
    from renderkiln.pipelines.variations.compare import compare

    return compare(ctx)


def _deliver(ctx: StageContext) -> Result:
    from renderkiln.pipelines.variations.deliver import deliver

    return deliver(ctx)
