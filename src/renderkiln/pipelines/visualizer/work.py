"""How much work a film is: its frames, of one kind if they look alike and are encoded alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from renderkiln.domain.work import Work
from renderkiln.pipelines.contract import InputFacts, Result
from renderkiln.pipelines.visualizer.params import VisualizerParams

_BASE, _MEGAPIXEL = 2.0, 0.05  # CPU-seconds for any film, and for a megapixel, measured on flames


def expects(params: VisualizerParams, inputs: Sequence[InputFacts]) -> Work | None:
    """None where a song does not tell how long it is."""
    seconds = [each.seconds for each in inputs if each.seconds is not None]
    return _work(params, sum(seconds) * params.fps) if seconds else None


def did(params: VisualizerParams, results: Mapping[str, Result]) -> Work:
    return _work(params, results["listen"].values["frames"])


def _work(params: VisualizerParams, frames: float) -> Work:
    canvas = params.canvas()
    pixels = frames * canvas.width * canvas.height / 1e6
    kind = f"visualizer {params.template} {params.format} {params.quality} {params.codec}"
    return Work(kind, frames, "frame", guess=_BASE + _MEGAPIXEL * pixels)
