"""Gives a job's finished files their final names, once, also when the delivery itself is interrupted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renderkiln.domain.artifact import Artifact
from renderkiln.domain.errors import Permanent
from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.delivery import publish


@dataclass(frozen=True)
class SideFile:
    """A small file that goes beside the main one: `ending` follows the main file's name without suffix."""

    kind: str
    path: Path
    ending: str  # ".jpg", ".peaks.json"
    content_type: str


def deliver(
    ctx: StageContext,
    main: Path,
    base: str,
    *,
    content_type: str,
    kind: str = "video",
    sides: Sequence[SideFile] = (),
) -> Sequence[Artifact]:
    """Publish `main` as the next free `base_vN` in the job's output folder, its side files beside it.

    `kind` is the artifact's: video, audio …

    The name is recorded before it is taken: an attempt that died in between finds its own file again
    instead of publishing a second one. Raises Permanent when the folder refuses the files.
    """
    folder = ctx.services.output
    try:
        target = _published(ctx, main, folder, base)
        for side in sides:
            publish.replace(side.path, _beside(target, side))
    except PermissionError as error:
        raise Permanent(f"Cannot write to the output folder {folder}: {error.strerror}") from error
    return [
        publish.artifact(kind, target, content_type),
        *(publish.artifact(side.kind, _beside(target, side), side.content_type) for side in sides),
    ]


def as_values(artifacts: Sequence[Artifact]) -> list[dict[str, Any]]:
    """Artifacts as small JSON, for a stage's result."""
    return [{**vars(each), "path": str(each.path)} for each in artifacts]


def from_values(values: Sequence[Mapping[str, Any]]) -> list[Artifact]:
    """The way back from `as_values`."""
    return [Artifact(**{**each, "path": Path(each["path"])}) for each in values]


def _published(ctx: StageContext, main: Path, folder: Path, base: str) -> Path:
    size = main.stat().st_size
    for claim in ctx.finished_parts.values():
        target = folder / str(claim.values["name"])
        if target.exists() and publish.is_published_from(main, target):
            return target
    for target in publish.free_names(folder, base, main.suffix):
        ctx.part_done(f"claim-{target.name}", Result({"name": target.name}))
        try:
            publish.place(main, target, lambda done: ctx.progress(done / size))
        except FileExistsError:
            continue  # another process was faster
        return target
    raise AssertionError("names do not run out")


def _beside(target: Path, side: SideFile) -> Path:
    return target.with_name(target.stem + side.ending)
