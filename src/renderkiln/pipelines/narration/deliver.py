"""Names the narration, and puts its captions, waveform and report beside it."""

from __future__ import annotations

from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.delivery import deliver as delivery
from renderkiln.pipelines.delivery.deliver import SideFile
from renderkiln.pipelines.delivery.naming import stem

SIDES = {  # by the name that the master stage gave the file
    "peaks": (".peaks.json", "application/json"),
    "subtitles": (".srt", "application/x-subrip"),
    "captions": (".vtt", "text/vtt"),
    "report": (".report.json", "application/json"),
}


def deliver(ctx: StageContext) -> Result:
    """Publish the verified narration. Raises Permanent when the output folder refuses it."""
    made = ctx.results["master"]
    sides = [
        SideFile(name, made.files[name], ending, content_type)
        for name, (ending, content_type) in SIDES.items()
        if name in made.files
    ]
    artifacts = delivery.deliver(
        ctx,
        made.files["audio"],
        stem(_name(ctx), ctx.params.output.format, ctx.job.created_at),
        kind="audio",
        content_type=made.values["contentType"],
        sides=sides,
    )
    return Result({"artifacts": delivery.as_values(artifacts)})


def _name(ctx: StageContext) -> str:
    title: str = ctx.params.title or "narration"
    return title.replace("/", " ").replace(".", " ")  # it is no path, and no suffix is to be taken off it
