"""Gets the files that the scenes name, and sees that they are what they should be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from renderkiln.domain.errors import Permanent, UsageError
from renderkiln.domain.fingerprint import file_sha256
from renderkiln.media import container
from renderkiln.media.addresses import parse, shown
from renderkiln.media.errors import MediaError
from renderkiln.media.video.survey import Survey, survey
from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.scenes.document.files import look
from renderkiln.pipelines.scenes.document.places import Named, is_url, places, resolve_place
from renderkiln.pipelines.scenes.drawing.studio import Found
from renderkiln.pipelines.taking import fetched, kept


def fetch(ctx: StageContext) -> Result:
    """Every file once, however often it is named. Raises Permanent with its place in the project."""
    named = places(ctx.params.film)
    files: dict[str, Path] = {}
    known: dict[str, dict[str, Any]] = {}
    for number, each in enumerate(named):
        told = number / len(named)
        ctx.progress(told, f"Fetching scenes, {number + 1} of {len(named)} files")
        if each.place not in known:
            name = f"asset-{len(known):04d}"
            files[name] = _taken_in(ctx, each, name)
            known[each.place] = {"file": name, "sha256": file_sha256(files[name])}
        _look(ctx, each, files[str(known[each.place]["file"])], known[each.place], told)
    return Result({"found": known}, files)


def found_of(ctx: StageContext) -> Mapping[str, Found]:
    """What the stage has found, by the places in the project."""
    fetched_files = ctx.results["fetch"]
    return {
        place: Found(
            fetched_files.files[facts["file"]],
            facts["sha256"],
            Survey.from_json(facts["survey"]) if "survey" in facts else None,
        )
        for place, facts in fetched_files.values["found"].items()
    }


def _taken_in(ctx: StageContext, named: Named, name: str) -> Path:
    try:
        if is_url(named.place):
            source = fetched(ctx, named.place, message="Downloading files of scenes")
        else:
            source = resolve_place(named.place, Path(ctx.params.folder))
        return kept(ctx, source, name)
    except (MediaError, UsageError, OSError) as error:
        raise Permanent(f"{named.path}: {error}") from error


def _look(ctx: StageContext, named: Named, path: Path, facts: dict[str, Any], told: float) -> None:
    """Whether a file is what it should be, once for each thing that it should be."""
    if named.kind in facts.setdefault("kinds", []):
        return
    facts["kinds"].append(named.kind)
    try:
        look(path, named.kind)
        if named.kind == "video":
            facts["survey"] = survey(path, stop=lambda: stopped(ctx, told)).to_json()
    except MediaError as error:
        raise _wrong(named, path, error) from error


def _wrong(named: Named, path: Path, error: MediaError) -> Permanent:
    """Nobody knows the copy in the work folder by its name."""
    name = shown(parse(named.place)) if is_url(named.place) else repr(named.place)
    said = str(error).replace(container.shown(path), name).replace(str(path), name)
    return Permanent(f"{named.path}: {said}")


def stopped(ctx: StageContext, fraction: float) -> bool:
    """For work that asks whether to stop when a `fraction` of the stage is done. Raises Stopped."""
    ctx.progress(fraction)
    return False
