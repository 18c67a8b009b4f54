"""What decides how long a film takes."""

from __future__ import annotations

from renderkiln.pipelines.visualizer.params import VisualizerParams

VERIFYING = 0.25  # of the time that drawing takes (measured): the time left counts it in


def kind_of(params: VisualizerParams, cores: int) -> str:
    """What decides how long a frame takes."""
    return " ".join([params.template, params.format, params.quality, params.codec, f"{cores} cores"])
