"""Joins the segments, the sound, the tags and the cover into one mp4; nothing is encoded again."""

from __future__ import annotations

from pathlib import Path

from renderkiln.media.ffmpeg.command import concat_and_mux, concat_list
from renderkiln.media.frames import spherical
from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.visualizer.params import VisualizerParams
from renderkiln.pipelines.visualizer.render import SEGMENTS, segments


def join(ctx: StageContext) -> Result:
    """Make the whole film out of its parts."""
    params: VisualizerParams = ctx.params
    heard = ctx.results["listen"]
    film = ctx.workdir / "film.mp4"
    film.unlink(missing_ok=True)  # FFmpeg writes into the file that is there, which may have been published
    command = concat_and_mux(
        segments=_write_list(ctx, params.fps),
        output=film,
        audio=heard.files["sound"],
        cover=heard.files.get("cover"),
        metadata=heard.values["tags"],
    )
    ctx.run_ffmpeg(command)
    if params.canvas().projection == "stereo360":
        film = _with_spherical_metadata(ctx, film)
    return Result({"size": film.stat().st_size}, {"film": film})


def _write_list(ctx: StageContext, fps: int) -> Path:
    every = segments(ctx.results["render"].values["frames"], fps)
    path = ctx.workdir / SEGMENTS / "list.ffconcat"
    path.write_text(concat_list(segment.file_name for segment in every))
    return path


def _with_spherical_metadata(ctx: StageContext, film: Path) -> Path:
    # Last of all: FFmpeg drops these boxes when it copies.
    target = ctx.workdir / "film-360.mp4"
    target.unlink(missing_ok=True)
    spherical.inject(film, target, stereo="top-bottom")
    film.unlink()
    return target
