"""Names the film, and puts its picture, captions and report beside it."""

from __future__ import annotations

import json

from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.delivery import deliver as delivery
from renderkiln.pipelines.delivery.deliver import SideFile
from renderkiln.pipelines.delivery.naming import stem

CONTENT_TYPES = {"mp4": "video/mp4", "webm": "video/webm", "gif": "image/gif"}
SIDES = {  # by the name that the verify stage gave the file
    "thumbnail": (".jpg", "image/jpeg"),
    "subtitles": (".srt", "application/x-subrip"),
    "captions": (".vtt", "text/vtt"),
}


def deliver(ctx: StageContext) -> Result:
    """Publish the verified film. Raises Permanent when the output folder refuses it."""
    verified, format = ctx.results["verify"], ctx.params.format
    sides = [
        SideFile(name, verified.files[name], ending, content_type)
        for name, (ending, content_type) in SIDES.items()
        if name in verified.files
    ]
    if ctx.params.report:
        path = ctx.workdir / "report.json"
        path.write_text(json.dumps(verified.values["report"], indent=2) + "\n", encoding="utf-8")
        sides.append(SideFile("report", path, ".report.json", "application/json"))
    title = ctx.params.project.title or "scenes"
    title = title.replace("/", " ").replace(".", " ")  # it is no path, and no suffix is to be taken off it
    joined = ctx.results["join"].values  # a gif may have been made smaller
    size = f"{min(joined['width'], joined['height'])}p"
    artifacts = delivery.deliver(
        ctx,
        ctx.results["join"].files["film"],
        stem(title, size, ctx.job.created_at),
        kind="video" if format != "gif" else "image",
        content_type=CONTENT_TYPES[format],
        sides=sides,
    )
    return Result({"artifacts": delivery.as_values(artifacts)})
