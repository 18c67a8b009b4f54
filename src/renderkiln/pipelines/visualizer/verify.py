"""Verifies the film before it gets its name, and takes its picture."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

from renderkiln.domain.errors import Permanent
from renderkiln.media.audio.features import Features
from renderkiln.media.frames import spherical
from renderkiln.media.frames.image import write_image
from renderkiln.media.frames.still import scaled, still, view_ahead
from renderkiln.media.inspect import inspect
from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.delivery.verify import ExpectedFilm, faults
from renderkiln.pipelines.speed import Speed
from renderkiln.pipelines.visualizer.params import VisualizerParams

THUMBNAIL_WIDTH, THUMBNAIL_HEIGHT = 1280, 720


def verify(ctx: StageContext) -> Result:
    """Decode the whole film and hold it against what was asked for. Raises Permanent with what was wrong."""
    film, expected = ctx.results["join"].files["film"], _expected(ctx)
    speed = Speed(0, expected.frames, ctx.params.fps)

    def on_progress(frames: int) -> None:
        speed.reached(min(frames, expected.frames))
        ctx.progress(speed.fraction, "Verifying the film", **speed.facts)

    inspection = inspect(film, on_progress=on_progress)
    wrong = faults(inspection, expected)
    if expected.projection is not None:
        wrong += _spherical_faults(film)
    if wrong:
        raise Permanent("The film did not pass verification: " + "; ".join(wrong))
    thumbnail = ctx.workdir / "thumbnail.jpg"
    _write_thumbnail(ctx, film, thumbnail)
    return Result({"report": inspection.to_json()}, {"thumbnail": thumbnail})


def _expected(ctx: StageContext) -> ExpectedFilm:
    params: VisualizerParams = ctx.params
    canvas, heard = params.canvas(), ctx.results["listen"]
    spherical_film = canvas.projection == "stereo360"
    return ExpectedFilm(
        width=canvas.width,
        height=canvas.height,
        fps=canvas.fps,
        frames=heard.values["frames"],
        codec=params.codec,
        sound_seconds=heard.values["duration"],
        silent=heard.values["audio"]["peak"] < 10 ** (-60 / 20),
        tags=heard.values["tags"],
        cover="cover" in heard.files,
        projection="equirectangular" if spherical_film else None,
        stereo_mode="top-bottom" if spherical_film else None,
    )


def _spherical_faults(film: Path) -> list[str]:
    # PyAV answers from either generation of the metadata; players of each kind need their own.
    found = spherical.read(film)
    if found is not None and found.v1 and found.v2:
        return []
    return ["its spherical metadata is not complete in both generations (V1 and V2)"]


def _write_thumbnail(ctx: StageContext, film: Path, target: Path) -> None:
    params: VisualizerParams = ctx.params
    features = Features.load(ctx.results["listen"].files["features"], Fraction(params.fps))
    picture = still(film, (lively_frame(features) + 0.5) / params.fps)
    if params.canvas().projection == "stereo360":
        picture = view_ahead(picture[: len(picture) // 2], THUMBNAIL_WIDTH, THUMBNAIL_HEIGHT)
    write_image(target, scaled(picture, min(THUMBNAIL_WIDTH, picture.shape[1])))


def lively_frame(features: Features) -> int:
    """The frame with the most going on, away from the first and the last tenth of the film."""
    margin = len(features) // 10
    middle = features.records[margin : len(features) - margin]
    energy = middle["low"] + middle["mid"] + middle["rms"] + 0.5 * middle["onset"]
    return margin + int(np.argmax(energy))
