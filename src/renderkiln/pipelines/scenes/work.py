"""How much work a film of scenes is: the pixels of all its frames, of one kind if they are made alike."""

from __future__ import annotations

from collections.abc import Mapping

from renderkiln.domain.work import Work
from renderkiln.media.speech.estimate import estimate_seconds
from renderkiln.pipelines.contract import Result, Services
from renderkiln.pipelines.scenes.document.background import VideoBackground
from renderkiln.pipelines.scenes.document.layers import VideoLayer
from renderkiln.pipelines.scenes.document.project import Scene
from renderkiln.pipelines.scenes.document.times import least_seconds
from renderkiln.pipelines.scenes.params import ScenesParams
from renderkiln.pipelines.speakers import price

_BASE, _MEGAPIXEL = 2.0, 0.01  # CPU-seconds for any film, and for a megapixel, measured on texts
_CLIP = 10.0  # seconds of a clip, or a recorded voice, that nobody has opened yet


def expects(params: ScenesParams, services: Services) -> Work:
    """What speech lasts is estimated; what a clip or a recording lasts is a guess."""
    least, _ = least_seconds(params.film)
    seconds = least + sum(_beyond(scene) for _, scene in params.chosen if scene.duration is None)
    return _work(params, seconds * float(params.canvas.fps), speech=_speech(params, services))


def did(params: ScenesParams, results: Mapping[str, Result]) -> Work | None:
    """None where parts were taken from other films."""
    drawn = results["render"].values
    if any(part["reused"] for part in drawn["parts"]):
        return None
    return _work(params, drawn["frames"])


def _beyond(scene: Scene) -> float:
    """Seconds of a scene that the document does not tell."""
    if scene.voice is not None and scene.voice.speech is not None:
        return estimate_seconds(scene.voice.speech, scene.voice.speed)
    return _CLIP


def _speech(params: ScenesParams, services: Services) -> float:
    voices = [scene.voice for _, scene in params.chosen if scene.voice is not None]
    return sum(
        price(voice.voice or params.project.voice, len(voice.speech), services)
        for voice in voices
        if voice.speech is not None
    )


def _work(params: ScenesParams, frames: float, *, speech: float = 0.0) -> Work:
    canvas, pieces = params.canvas, [each for _, scene in params.chosen for each in scene.layers]
    clips = any(isinstance(each, VideoLayer) for each in pieces) or any(
        isinstance(scene.background, VideoBackground) for _, scene in params.chosen
    )
    kind = f"scenes {params.format} {params.quality} {'with clips' if clips else 'drawn'}"
    pixels = frames * canvas.width * canvas.height / 1e6
    return Work(kind, pixels, "megapixel", guess=_BASE + _MEGAPIXEL * pixels, speech=speech)
