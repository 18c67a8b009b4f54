"""Compares the finished variations: the report with the distance matrix, and the contact sheet."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from renderkiln.media.frames.image import Pixels, read_image, write_image
from renderkiln.media.frames.sheet import Cell, arrange, contact_sheet
from renderkiln.media.frames.still import picture_of, scaled
from renderkiln.media.video.difference import Distances, distances, triangle
from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.variations.clip import Clip
from renderkiln.pipelines.variations.effect import Effect
from renderkiln.pipelines.variations.effect_set import EffectSet
from renderkiln.pipelines.variations.look import likeness_of_clip, looked_at
from renderkiln.pipelines.variations.params import VariationsParams, installed
from renderkiln.pipelines.variations.small import small_size


def compare(ctx: StageContext) -> Result:
    """Measure how different the finished files are, and picture them side by side."""
    clip, effects = looked_at(ctx), installed()
    sets = sets_of(ctx)
    files = ctx.results["render"].files
    looks = (np.load(files[f"likeness-{each.id}"]) for each in sets)
    matrix = distances([likeness_of_clip(ctx, clip), *looks])
    ctx.progress(0.3, "Comparing the variations")
    rows = [_row(ctx, number, each, effects, matrix, clip.fps) for number, each in enumerate(sets)]
    report, sheet = ctx.workdir / "report.json", ctx.workdir / "contact-sheet.png"
    _write_report(ctx, report, clip, rows, matrix)
    write_image(sheet, _sheet(ctx, clip, rows, sets))
    return Result({"variations": rows, "closest": _closest(matrix)}, {"report": report, "sheet": sheet})


def sets_of(ctx: StageContext) -> list[EffectSet]:
    """The effect sets of the finished variations, in their order."""
    return [EffectSet.from_json(each) for each in ctx.results["render"].values["sets"]]


def _row(
    ctx: StageContext,
    number: int,
    set_: EffectSet,
    effects: Sequence[Effect],
    matrix: Distances,
    fps: Fraction,
) -> dict[str, Any]:
    """What is told of one variation: row and column 0 of the matrix are the clip's."""
    params: VariationsParams = ctx.params
    mine = matrix[number + 1].copy()
    mine[number + 1] = np.inf
    nearest = int(np.argmin(mine))
    frames = ctx.results["render"].values["frames"][number]
    return {
        "index": params.skip + number + 1,
        "id": set_.id,
        "effects": set_.to_json(),
        "words": set_.words(effects),
        "frames": frames,
        "seconds": round(float(frames / fps), 3),
        "fromClip": round(float(matrix[number + 1, 0]), 2),
        "nearest": {
            "index": params.skip + nearest if nearest else None,  # None is the clip
            "difference": round(float(mine[nearest]), 2),
        },
    }


def _closest(matrix: Distances) -> float:
    """The smallest difference of any two; of one alone, that to its clip."""
    below = matrix[np.tril_indices(len(matrix), -1)]
    return round(float(below.min()), 2)


def _write_report(
    ctx: StageContext, path: Path, clip: Clip, rows: Sequence[Mapping[str, Any]], matrix: Distances
) -> None:
    params: VariationsParams = ctx.params
    report = {
        "clip": {"name": ctx.inputs[0].name, "sha256": ctx.inputs[0].sha256, **clip.survey.to_json()},
        "made": {"width": clip.width, "height": clip.height, "fps": str(clip.fps), "channels": clip.channels},
        "params": params.model_dump(mode="json"),
        "variations": rows,
        "differences": {
            "unit": "mean absolute difference in 8-bit code values, at the same moments of the clip",
            "atLeast": params.min_difference,
            "order": ["clip", *(row["index"] for row in rows)],
            "rows": triangle(matrix),
        },
    }
    text = json.dumps(report, ensure_ascii=False, indent=1) + "\n"
    path.write_text(text, encoding="utf-8", errors="backslashreplace")  # of a name that is not UTF-8


def _sheet(
    ctx: StageContext, clip: Clip, rows: Sequence[Mapping[str, Any]], sets: Sequence[EffectSet]
) -> Pixels:
    files = ctx.results["render"].files
    width = arrange(len(rows) + 1, clip.width / clip.height).cell_width
    cells = [Cell(_picture_of_clip(ctx, clip), _facts(clip), marked=True, label="Clip")]
    for row, each in zip(rows, sets, strict=True):
        picture = read_image(files[f"picture-{each.id}"])[..., :3]
        picture = scaled(picture, min(width, picture.shape[1]))  # of a thousand, each must be small
        detail = f"{row['nearest']['difference']:.1f} from its nearest"
        cells.append(Cell(picture, row["words"], detail, label=str(row["index"])))
    closest = min(float(row["nearest"]["difference"]) for row in rows)
    count = f"{len(rows)} variation{'s' if len(rows) != 1 else ''}"
    subtitle = f"{count} · {ctx.params.intensity} · seed {ctx.params.seed} · at least {closest:.1f} apart"
    return contact_sheet(ctx.inputs[0].name, cells, subtitle=subtitle, fonts=ctx.services.fonts)


def _facts(clip: Clip) -> str:
    return f"{clip.width}×{clip.height} · {float(clip.fps):.5g} fps · {clip.survey.duration:.1f} s"


def _picture_of_clip(ctx: StageContext, clip: Clip) -> Pixels:
    """The clip at the moment that its variations are shown at."""
    width, height = small_size(clip.width, clip.height)
    frames = np.fromfile(ctx.results["look"].files["small"], np.uint8).reshape(-1, height * 3 // 2, width)
    frame = av.VideoFrame.from_ndarray(frames[len(frames) // 2], format="yuv420p")
    return picture_of(frame)
