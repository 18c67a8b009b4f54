"""Takes files from outside into the work folder: from disk, from a URL, or what was uploaded."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from renderkiln.domain.errors import Temporary
from renderkiln.domain.place import asset_id, is_url
from renderkiln.media import download as web
from renderkiln.pipelines.contract import StageContext


def brought(ctx: StageContext, place: str, *, message: str, required: bool = True) -> Path | None:
    """The file of an asset or behind a URL; None for a path. Raises as `fetched`."""
    if asset_id(place) is not None:
        return ctx.assets[place].path
    return fetched(ctx, place, message=message, required=required) if is_url(place) else None


def fetched(ctx: StageContext, url: str, *, message: str, required: bool = True) -> Path:
    """The file behind `url`, in the cache. Raises MediaError; Temporary where it is worth another try.

    What is not `required` is not tried again. Its name in the cache says nothing to people.
    """

    def on_bytes(done: int, whole: int | None) -> None:
        ctx.progress(0.8 * done / whole if whole else 0.4, message)

    try:
        return web.download(
            url,
            cache=ctx.services.cache / "downloads",
            largest=ctx.services.limits.file_size,
            allow_private=ctx.services.private_urls,
            on_bytes=on_bytes,
        ).path
    except web.Unreachable as error:
        if error.temporary and required:
            raise Temporary(str(error), delay=error.retry_after) from error
        raise


def kept(ctx: StageContext, source: Path, name: str) -> Path:
    """`source` in the work folder as `name`: what anybody does to the original later does not matter."""
    target = ctx.workdir / f"{name}{source.suffix[:8]}"
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
    return target
