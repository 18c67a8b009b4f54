"""Names the film, and puts its picture, its waveform and its report beside it."""

from __future__ import annotations

import json

from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.delivery import deliver as delivery
from renderkiln.pipelines.delivery.deliver import SideFile
from renderkiln.pipelines.delivery.naming import stem
from renderkiln.pipelines.visualizer.params import VisualizerParams


def deliver(ctx: StageContext) -> Result:
    """Publish the verified film. Raises Permanent when the output folder refuses it."""
    params: VisualizerParams = ctx.params
    verified = ctx.results["verify"]
    sides = [
        SideFile("thumbnail", verified.files["thumbnail"], ".jpg", "image/jpeg"),
        SideFile("peaks", ctx.results["listen"].files["peaks"], ".peaks.json", "application/json"),
    ]
    if params.report:
        report = ctx.workdir / "report.json"
        report.write_text(json.dumps(verified.values["report"], ensure_ascii=False, indent=2) + "\n")
        sides.append(SideFile("report", report, ".report.json", "application/json"))
    artifacts = delivery.deliver(
        ctx,
        ctx.results["join"].files["film"],
        stem(ctx.inputs[0].name, params.format, ctx.job.created_at),
        content_type="video/mp4",
        sides=sides,
    )
    return Result({"artifacts": delivery.as_values(artifacts)})
