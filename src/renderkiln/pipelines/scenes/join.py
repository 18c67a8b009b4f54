"""Joins the parts and the sound into one film; only a gif is encoded here, from parts without loss."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from renderkiln.media.ffmpeg.command import concat_list
from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.scenes.formats import join_film, make_gif
from renderkiln.pipelines.scenes.render import FOLDER


def join(ctx: StageContext) -> Result:
    """Make the whole film out of its parts."""
    drawn = ctx.results["render"]
    parts = [(drawn.files[part["part"]], int(part["frames"])) for part in drawn.values["parts"]]
    film = ctx.workdir / f"film.{ctx.params.format}"
    film.unlink(missing_ok=True)  # FFmpeg writes into the file that is there, which may have been published
    if ctx.params.format == "gif":
        values = _gif(ctx, parts, film)
    else:
        listed = ctx.workdir / FOLDER / "list.ffconcat"
        listed.write_text(concat_list(path.name for path, _ in parts))
        ctx.run_ffmpeg(join_film(ctx.params, listed, ctx.results["sound"].files.get("sound"), film))
        values = {"width": ctx.params.canvas.width, "height": ctx.params.canvas.height}
    return Result({"size": film.stat().st_size, **values}, {"film": film})


def _gif(ctx: StageContext, parts: list[tuple[Path, int]], film: Path) -> dict[str, Any]:
    made, most = make_gif(ctx, parts, film), ctx.params.max_bytes
    if most is not None and made.bytes > most:
        ctx.warn(
            "gif-size",
            f"The gif has {_size(made.bytes)}, not {_size(most)}; smaller it cannot be made: "
            "take fewer seconds, or a lower resolution",
        )
    look = made.look
    if most is not None and (look.width, look.colors, look.step) != (ctx.params.canvas.width, 256, 1):
        given_up = f"{look.width}x{look.height} pixels, {look.colors} colours"
        every = "" if look.step == 1 else f", one of {look.step} frames"
        ctx.warn("gif-look", f"To have {_size(made.bytes)} the gif was made with {given_up}{every}")
    return {
        "width": look.width,
        "height": look.height,
        "colors": look.colors,
        "step": look.step,
        "pictures": made.pictures,
    }


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"
