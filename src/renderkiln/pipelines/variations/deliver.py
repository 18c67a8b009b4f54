"""Names the variations, and puts them into a folder of their own with contact sheet and report."""

from __future__ import annotations

from pathlib import Path

from renderkiln.domain.artifact import Artifact
from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.delivery import deliver as delivery
from renderkiln.pipelines.delivery import publish
from renderkiln.pipelines.delivery.folder import deliver_folder
from renderkiln.pipelines.delivery.naming import slug, stem

SHEET, REPORT = "contact-sheet.png", "report.json"


def deliver(ctx: StageContext) -> Result:
    """Publish all variations of the clip, or none. Raises Permanent when the output folder refuses them."""
    rows = ctx.results["compare"].values["variations"]
    base = slug(Path(ctx.inputs[0].name).stem)
    names = {f"{base}_var{row['index']}_{row['id']}.mp4": row for row in rows}
    made, compared = ctx.results["render"].files, ctx.results["compare"].files
    files = {name: made[f"video-{row['id']}"] for name, row in names.items()}
    files |= {SHEET: compared["sheet"], REPORT: compared["report"]}
    folder = deliver_folder(ctx, files, stem(ctx.inputs[0].name, "variations", ctx.job.created_at))
    artifacts: list[Artifact] = [
        *(publish.artifact("video", folder / name, "video/mp4", row) for name, row in names.items()),
        publish.artifact("contact-sheet", folder / SHEET, "image/png"),
        publish.artifact("report", folder / REPORT, "application/json"),
    ]
    return Result({"folder": str(folder), "artifacts": delivery.as_values(artifacts)})
