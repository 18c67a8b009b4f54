"""What is said of a finished narration: in its report, and in its tags."""

from __future__ import annotations

from typing import Any

from renderkiln import __version__
from renderkiln.media.audio.delivered import Delivered
from renderkiln.media.audio.mastering import Master
from renderkiln.media.audio.tags import Chapter, Tags
from renderkiln.pipelines.contract import StageContext
from renderkiln.pipelines.narration.leaving import left_out_so_far
from renderkiln.pipelines.narration.params import NarrationParams


def report_of(
    ctx: StageContext, delivered: Delivered, master: Master, *, target: float, tries: int
) -> dict[str, Any]:
    """Plain JSON values."""
    params: NarrationParams = ctx.params
    mixed, spoken = ctx.results["mix"].values, ctx.results["voice"].values
    music = ctx.results["download"].values.get("music")
    return {
        "title": params.title,
        "output": params.output.model_dump(mode="json"),
        "duration": mixed["length"] | {"made": round(delivered.seconds, 6)},
        "targetLufs": target,
        "mastering": {
            "gainDb": round(master.gain_db, 2),
            "limiterDb": round(master.reduction_db, 2),
            "limitedShare": round(master.limited, 4),
            "shortfall": round(master.shortfall, 2),
            "encodings": tries,
        },
        "measured": delivered.to_json(),
        "voiceToBed": mixed["voiceToBed"],
        "layers": mixed["layers"],
        "leftOut": left_out_so_far(ctx.results),
        "voice": spoken["receipt"],
        "background": music,
        "chapters": [vars(chapter) for chapter in _chapters(ctx)],
    }


def tags_of(ctx: StageContext) -> Tags:
    """The file's tags."""
    params: NarrationParams = ctx.params
    return Tags(
        title=params.title or "",
        artist=params.artist or "",
        album=params.album or "",
        date=f"{ctx.job.created_at.astimezone():%Y-%m-%d}",
        comment=f"Made by Renderkiln {__version__}",
        language=params.language or "",
        chapters=_chapters(ctx),
    )


def _chapters(ctx: StageContext) -> tuple[Chapter, ...]:
    """Each to the beginning of the next one, in seconds of the finished file."""
    length = ctx.results["mix"].values["length"]
    begins, told = length["voiceBegins"], ctx.results["voice"].values["chapters"]
    starts = [begins + each["start"] if each["start"] else 0.0 for each in told]
    ends = [*starts[1:], length["made"]]
    titles = [each["title"] for each in told]
    return tuple(Chapter(start, end, title) for start, end, title in zip(starts, ends, titles, strict=False))
