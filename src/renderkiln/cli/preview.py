"""Draws one frame of a template."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from renderkiln.domain.errors import UsageError, UserError
from renderkiln.media import kernels
from renderkiln.media.frames.canvas import Canvas
from renderkiln.pipelines.visualizer.sample import FPS, Sample
from renderkiln.settings import Settings

LARGEST = 8192
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


def canvas_of(dimensions: str) -> Canvas:
    """`1280x720` as a canvas. Raises UsageError."""
    match = re.fullmatch(r"(\d{1,5})[x×](\d{1,5})", dimensions)
    if match is None:
        raise UsageError(f"--size takes WIDTHxHEIGHT such as 1280x720, not {dimensions!r}")
    width, height = int(match[1]), int(match[2])
    if not (64 <= width <= LARGEST and 64 <= height <= LARGEST and width % 4 == height % 4 == 0):
        raise UsageError(f"--size {dimensions}: both must be multiples of 4 between 64 and {LARGEST}")
    return Canvas(width, height, Fraction(FPS))


def draw(
    template: str, look: Mapping[str, Any], canvas: Canvas, seconds: float, seed: int, target: Path
) -> None:
    """Write the frame at `seconds` of the demo track to `target`. Raises UsageError, UserError."""
    if target.suffix.lower() not in SUFFIXES:
        raise UsageError(f"the preview is written as {', '.join(SUFFIXES)}, not as {target.name!r}")
    settings = Settings.load()
    cache = settings.home.absolute() / "cache"
    kernels.use_cache(cache)  # before the imports below bring Numba in
    from renderkiln.media.frames.image import write_image
    from renderkiln.pipelines.visualizer.params import VisualizerParams

    sample = Sample(VisualizerParams(template=template, seed=seed, look=dict(look)), canvas, seconds)
    try:
        picture = sample.draw(cache / "looks", settings.fonts)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_image(target, picture)
    except OSError as error:
        raise UserError(f"{error.filename or target} cannot be written: {error.strerror}") from error
