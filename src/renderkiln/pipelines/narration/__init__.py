"""The narration: a script in, finished and mastered audio out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from renderkiln.domain.artifact import Artifact
from renderkiln.domain.retry import Retry
from renderkiln.domain.work import Work
from renderkiln.pipelines.contract import InputFacts, Result, Services, Stage, StageContext
from renderkiln.pipelines.narration.params import NarrationParams


class Narration:
    """Speaks a script, mixes it with music and tones, masters, verifies and delivers it."""

    name = "narration"
    version = 1
    queue = "audio-rendering"
    takes_file = False
    retry = Retry(attempts=3, first=5.0)
    preload = (
        "numpy",
        "numba",
        "av",
        f"{__name__}.voice",
        f"{__name__}.mix",
        f"{__name__}.master",
    )
    Params = NarrationParams

    def stages(self, params: NarrationParams) -> Sequence[Stage]:  # noqa: ARG002 - the same for all
        return (
            Stage("initialise", 5, _initialise, "Initialising"),
            Stage("download", 10, _download, "Downloading assets"),
            Stage("voice", 30, _voice, "Generating voice"),
            Stage("tones", 10, _tones, "Generating tones"),
            Stage("mix", 25, _mix, "Mixing"),
            Stage("master", 10, _master, "Normalising"),
            Stage("deliver", 10, _deliver, "Delivering", isolated=False),
        )

    def fingerprint(self, params: NarrationParams, services: Services) -> Mapping[str, Any]:
        from renderkiln.pipelines.narration.identity import identity

        return identity(params, services)

    def files(self, params: NarrationParams) -> Sequence[str]:
        from renderkiln.pipelines.speakers import recording

        music, voice = params.layers.background, recording(params.voice)
        track = [music.track] if music is not None and music.track else []
        return [*track, *([voice] if voice is not None else [])]

    def visibility(self, params: NarrationParams) -> str:
        """Who may read the file where it is stored."""
        return params.output.storage_location

    def summary(self, results: Mapping[str, Result]) -> Mapping[str, Any]:
        report = results["master"].values["report"]
        return {
            "audio": results["deliver"].values["artifacts"][0]["path"],
            "duration": report["duration"]["made"],
            "leftOut": report["leftOut"],
            "report": report,
        }

    def artifacts(self, results: Mapping[str, Result]) -> Sequence[Artifact]:
        from renderkiln.pipelines.delivery.deliver import from_values

        return from_values(results["deliver"].values["artifacts"])

    def expects(self, params: NarrationParams, inputs: Sequence[InputFacts], services: Services) -> Work:  # noqa: ARG002  all is in its params
        from renderkiln.pipelines.narration.work import expects

        return expects(params, services)

    def did(self, params: NarrationParams, results: Mapping[str, Result]) -> Work | None:
        from renderkiln.pipelines.narration.work import did

        return did(params, results)


# What stages do is imported where they run: a worker itself loads neither Numba nor FFmpeg's libraries.


def _initialise(ctx: StageContext) -> Result:
    from renderkiln.pipelines.narration.initialise import initialise

    return initialise(ctx)


def _download(ctx: StageContext) -> Result:
    from renderkiln.pipelines.narration.download import download

    return download(ctx)


def _voice(ctx: StageContext) -> Result:
    from renderkiln.pipelines.narration.voice import voice

    return voice(ctx)


def _tones(ctx: StageContext) -> Result:
    from renderkiln.pipelines.narration.tones import tones

    return tones(ctx)


def _mix(ctx: StageContext) -> Result:
    from renderkiln.pipelines.narration.mix import mix

    return mix(ctx)


def _master(ctx: StageContext) -> Result:
    from renderkiln.pipelines.narration.master import master

    return master(ctx)


def _deliver(ctx: StageContext) -> Result:
    from renderkiln.pipelines.narration.deliver import deliver

    return deliver(ctx)
