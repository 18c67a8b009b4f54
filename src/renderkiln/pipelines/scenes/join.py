"""Joins the parts and the sound into one film; nothing is encoded again."""

from __future__ import annotations

from renderkiln.media.ffmpeg.command import concat_and_mux, concat_list
from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.scenes.render import FOLDER


def join(ctx: StageContext) -> Result:
    """Make the whole film out of its parts."""
    drawn = ctx.results["render"]
    parts = [drawn.files[part["part"]].name for part in drawn.values["parts"]]
    listed = ctx.workdir / FOLDER / "list.ffconcat"
    listed.write_text(concat_list(parts))
    film = ctx.workdir / f"film.{ctx.params.format}"
    film.unlink(missing_ok=True)  # FFmpeg writes into the file that is there, which may have been published
    title = ctx.params.project.title
    ctx.run_ffmpeg(
        concat_and_mux(
            segments=listed,
            output=film,
            audio=ctx.results["sound"].files.get("sound"),
            metadata={"title": title} if title else {},
        )
    )
    return Result({"size": film.stat().st_size}, {"film": film})
