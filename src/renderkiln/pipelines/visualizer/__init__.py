"""The visualizer: a song in, an audio-reactive film out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from renderkiln.domain.artifact import Artifact
from renderkiln.domain.retry import Retry
from renderkiln.domain.work import Work
from renderkiln.pipelines.contract import InputFacts, Result, Services, Stage, StageContext
from renderkiln.pipelines.visualizer.params import VisualizerParams


class Visualizer:
    """Decodes and analyses a song, draws it by a template, joins picture and sound, verifies, delivers."""

    name = "visualizer"
    version = 1
    queue = "video-rendering"
    takes_file = True
    retry = Retry(attempts=3, first=10.0)
    preload = (
        "numpy",
        "numba",
        "av",
        "skia",
        f"{__name__}.listen",
        f"{__name__}.render",
        f"{__name__}.join",
        f"{__name__}.verify",
    )
    Params = VisualizerParams

    def stages(self, params: VisualizerParams) -> Sequence[Stage]:  # noqa: ARG002 - the same for all
        return (
            Stage("listen", 10, _listen, "Listening to the song"),
            Stage("render", 80, _render, "Rendering frames"),
            Stage("join", 2, _join, "Joining picture and sound"),
            Stage("verify", 7, _verify, "Verifying the film"),
            Stage("deliver", 1, _deliver, "Naming the film", isolated=False),
        )

    def fingerprint(self, params: VisualizerParams, services: Services) -> Mapping[str, Any]:
        from renderkiln.domain.fingerprint import file_sha256
        from renderkiln.media.ffmpeg.binary import build
        from renderkiln.media.frames.fonts import font_fingerprint

        template = params.load_template()
        cover = params.template_params().cover
        return {
            "template": [template.name, template.version],
            "ffmpeg": build(services.ffmpeg),
            "fonts": font_fingerprint(services.fonts),
            "cover": file_sha256(cover) if cover is not None and cover.is_file() else None,
        }

    def files(self, params: VisualizerParams) -> Sequence[str]:  # noqa: ARG002  they name none
        return ()

    def summary(self, results: Mapping[str, Result]) -> Mapping[str, Any]:
        heard, verified = results["listen"].values, results["verify"].values
        return {
            "video": results["deliver"].values["artifacts"][0]["path"],
            "duration": heard["duration"],
            "frames": heard["frames"],
            "framesDrawn": results["render"].values["drawn"],
            "report": verified["report"],
        }

    def artifacts(self, results: Mapping[str, Result]) -> Sequence[Artifact]:
        from renderkiln.pipelines.delivery.deliver import from_values

        return from_values(results["deliver"].values["artifacts"])

    def expects(
        self,
        params: VisualizerParams,
        inputs: Sequence[InputFacts],
        services: Services,  # noqa: ARG002  nobody speaks
    ) -> Work | None:
        from renderkiln.pipelines.visualizer.work import expects

        return expects(params, inputs)

    def did(self, params: VisualizerParams, results: Mapping[str, Result]) -> Work:
        from renderkiln.pipelines.visualizer.work import did

        return did(params, results)


# What stages do is imported where they run: a worker itself loads neither Numba nor FFmpeg's libraries.


def _listen(ctx: StageContext) -> Result:
    from renderkiln.pipelines.visualizer.listen import listen

    return listen(ctx)


def _render(ctx: StageContext) -> Result:
    from renderkiln.pipelines.visualizer.render import render

    return render(ctx)


def _join(ctx: StageContext) -> Result:
    from renderkiln.pipelines.visualizer.join import join

    return join(ctx)


def _verify(ctx: StageContext) -> Result:
    from renderkiln.pipelines.visualizer.verify import verify

    return verify(ctx)


def _deliver(ctx: StageContext) -> Result:
    from renderkiln.pipelines.visualizer.deliver import deliver

    return deliver(ctx)
