"""Gets the files that the scenes name, and sees that they are what they should be."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from renderkiln.domain.errors import Permanent, UsageError
from renderkiln.domain.fingerprint import file_sha256
from renderkiln.media.errors import MediaError, Unsuitable
from renderkiln.media.video.survey import Survey, survey
from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.scenes.called import called, told
from renderkiln.pipelines.scenes.document.files import look
from renderkiln.pipelines.scenes.document.places import Named, places, resolve_place
from renderkiln.pipelines.scenes.document.project import Scene
from renderkiln.pipelines.scenes.drawing.studio import Found
from renderkiln.pipelines.scenes.params import ScenesParams
from renderkiln.pipelines.taking import brought, kept

_LINKED = 100_000_000  # bytes: what is larger is not copied


def fetch(ctx: StageContext) -> Result:
    """Every file once, however often it is named. Raises Permanent with its place in the project."""
    named = named_in(ctx.params)
    files: dict[str, Path] = {}
    known: dict[str, dict[str, Any]] = {}
    total = len({each.place for each in named})
    for number, each in enumerate(named):
        done = number / len(named)
        if each.place not in known:
            ctx.progress(done, f"Fetching scenes, {len(known) + 1} of {total} files")
            name = f"asset-{len(known):04d}"
            files[name], known[each.place] = _taken_in(ctx, each, name)
        _look(ctx, each, files[str(known[each.place]["file"])], known[each.place], done)
    return Result({"found": known}, files)


def found_of(ctx: StageContext) -> Mapping[str, Found]:
    """What the stage has found, by the places in the project."""
    fetched_files = ctx.results["fetch"]
    return {
        place: Found(
            fetched_files.files[facts["file"]],
            facts["sha256"],
            Survey.from_json(facts["survey"]) if "survey" in facts else None,
            facts["changed"],
        )
        for place, facts in fetched_files.values["found"].items()
    }


def named_in(params: ScenesParams) -> Sequence[Named]:
    """The files that the chosen scenes need, each with its place in the document that its author knows."""
    chosen, project = {id for id, _ in params.chosen}, params.project
    both = zip(project.ids, project.scenes, strict=True)
    scenes = tuple(scene if id in chosen else Scene(id=scene.id, duration=1) for id, scene in both)
    return places(project.model_copy(update={"scenes": scenes}))


def _taken_in(ctx: StageContext, named: Named, name: str) -> tuple[Path, dict[str, Any]]:
    """A file in the work folder, and what is known of it."""
    try:
        outside = brought(ctx, named.place, message="Downloading files of scenes")
        if outside is not None:
            path = kept(ctx, outside, name)
        else:
            path = _copied(ctx, resolve_place(named.place, Path(ctx.params.folder)), name)
        is_link = outside is None and path.stat().st_nlink > 1
        changed = path.stat().st_mtime_ns if is_link else None
        return path, {"file": name, "sha256": file_sha256(path), "changed": changed}
    except (MediaError, UsageError) as error:
        raise Permanent(f"{named.path}: {error}") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise Permanent(f"{named.path}: {called(named.place)} cannot be read: {error.strerror}") from error


def _copied(ctx: StageContext, source: Path, name: str) -> Path:
    """A file of the user's: somebody may write into it while the film is made, and so into a link of it, and
    parts of it would be kept under the hash of what it was.
    """
    size, largest = source.stat().st_size, ctx.services.limits.file_size
    if size > largest:
        raise Unsuitable(f"it has {size} bytes; the largest file taken has {largest} (setting max_file_size)")
    if size > _LINKED:
        return kept(ctx, source, name)
    target = ctx.workdir / f"{name}{source.suffix[:8]}"
    target.unlink(missing_ok=True)  # it may be a link, or without permission to be written
    shutil.copyfile(source, target)
    return target


def _look(ctx: StageContext, named: Named, path: Path, facts: dict[str, Any], done: float) -> None:
    """Whether a file is what it should be, once for each thing that it should be."""
    if named.kind in facts.setdefault("kinds", []):
        return
    facts["kinds"].append(named.kind)
    try:
        look(path, named.kind)
        if named.kind == "video":
            facts["survey"] = survey(path, stop=lambda: stopped(ctx, done)).to_json()
    except MediaError as error:
        raise Permanent(f"{named.path}: {told(error, path, named.place)}") from error


def stopped(ctx: StageContext, fraction: float) -> bool:
    """For work that asks whether to stop when a `fraction` of the stage is done. Raises Stopped."""
    ctx.progress(fraction)
    return False
