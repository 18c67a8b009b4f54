"""The tones and noises of a narration: made ready, and heard before anything is mixed."""

from __future__ import annotations

import numpy as np

from renderkiln.media.audio.course import Course
from renderkiln.media.audio.noise import Noise
from renderkiln.media.audio.source import RATE, Source
from renderkiln.media.audio.tones import Binaural, Isochronic, Tone
from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.narration import params as narration
from renderkiln.pipelines.narration.leaving import unless_left_out
from renderkiln.pipelines.narration.params import Bed, NarrationParams

TONES = ("solfeggio", "binaural", "isochronic", "noise")


def tones(ctx: StageContext) -> Result:
    """Which tones there are, each tried for a second. Raises Permanent where a required one fails."""
    params: NarrationParams = ctx.params
    left_out: dict[str, str] = {}
    heard: dict[str, float] = {}
    for name, layer in params.layers.beds().items():
        if name in TONES:
            level = unless_left_out(ctx, name, layer, lambda bed=layer: _tried(bed, params.seed), left_out)  # type: ignore[misc]
            if level is not None:
                heard[name] = level
    return Result({"rms": heard, "leftOut": left_out})


def source_of(layer: Bed, seed: int) -> Source:
    """The sound of a tone or noise layer, at its own level. Raises ValueError for what cannot be heard."""
    match layer:
        case narration.Solfeggio():
            return Tone(_course(layer.hz, [(step.at_min, step.hz) for step in layer.schedule]))
        case narration.Binaural():
            return Binaural(*_courses(layer))
        case narration.Isochronic():
            return Isochronic(*_courses(layer))
        case narration.Noise():
            return Noise(layer.color, seed)
    raise AssertionError(f"{layer} is no tone")


def _courses(layer: narration.Beats) -> tuple[Course, Course]:
    carriers = [(step.at_min, step.carrier_hz) for step in layer.schedule if step.carrier_hz is not None]
    beats = [(step.at_min, step.beat_hz) for step in layer.schedule if step.beat_hz is not None]
    return _course(layer.carrier, carriers), _course(layer.beat, beats)


def _course(start: float, steps: list[tuple[float, float]]) -> Course:
    """From `start` at the beginning along the steps, whose times are in minutes."""
    points = [(minutes * 60, value) for minutes, value in steps]
    if not points or points[0][0] > 0:
        points.insert(0, (0.0, start))
    return Course(tuple(points))


def _tried(layer: Bed, seed: int) -> float:
    """The RMS of its first second, both channels together. Raises ValueError if there is nothing in it."""
    second = source_of(layer, seed).read(RATE)
    level = float(np.sqrt(np.mean(np.square(second, dtype=np.float64))))
    if not np.isfinite(level) or level == 0:
        raise ValueError("no sound came out of it")
    return level
