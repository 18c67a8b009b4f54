"""Draws one frame of a template."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from renderkiln.domain.errors import UsageError, UserError
from renderkiln.media import kernels
from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.settings import Settings

FPS = 30
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
    kernels.use_cache(settings.home / "cache")  # before the imports below bring Numba in
    from renderkiln.media.frames.image import write_image
    from renderkiln.media.frames.picture import to_rgb
    from renderkiln.pipelines.visualizer.film import DrawableFilm
    from renderkiln.pipelines.visualizer.params import VisualizerParams

    params = VisualizerParams(template=template, seed=seed, look=dict(look))

    with tempfile.TemporaryDirectory() as scratch:
        features = _heard(Path(scratch))
        film = DrawableFilm.of(
            params,
            features,
            title=look.get("title") or "",
            artist=look.get("artist") or "",
            fonts=settings.fonts,
            canvas=canvas,
        )
        frame = Frame(canvas)
        film.new_draw()(min(round(seconds * FPS), len(film) - 1), frame)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_image(target, to_rgb(frame))
    except OSError as error:
        raise UserError(f"{target} cannot be written: {error.strerror}") from error


def _heard(scratch: Path) -> Any:
    """The features of the demo track."""
    from renderkiln.media.audio.compose import compose
    from renderkiln.media.audio.spectrum import SpectrumAnalyser
    from renderkiln.media.audio.studio.synth import RATE

    track = compose()
    analyser = SpectrumAnalyser(RATE, Fraction(FPS), scratch)
    analyser.add(track.mean(axis=1))
    return analyser.finish(scratch / "features.npy", len(track) * FPS // RATE)
