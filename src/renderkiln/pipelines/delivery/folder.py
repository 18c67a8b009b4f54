"""Gives the finished files of a job a folder of their own: all of them or none, once."""

from __future__ import annotations

import errno
import glob
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from renderkiln.domain.errors import Permanent
from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.delivery import publish

_TAKEN = {errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR}


def deliver_folder(ctx: StageContext, files: Mapping[str, Path], base: str) -> Path:
    """Publish `files`, by name, in the next free folder `base_vN` of the job's output folder.

    The folder appears with everything in it. Its name is recorded before it is taken: an attempt that died in
    between finds its own again. Raises Permanent when the output folder refuses it.
    """
    try:
        return _published(ctx, files, base)
    except PermissionError as error:
        raise Permanent(
            f"Cannot write to the output folder {ctx.services.output}: {error.strerror}"
        ) from error


def _published(ctx: StageContext, files: Mapping[str, Path], base: str) -> Path:
    folder = ctx.services.output
    for claim in ctx.finished_parts.values():
        target = folder / str(claim.values["name"])
        _clear(ctx, target)
        if _holds(target, files):
            return target
    for target in publish.free_names(folder, base, ""):
        ctx.part_done(f"claim-{target.name}", Result({"name": target.name}))
        if _place(ctx, files, target):
            return target
    raise AssertionError("names do not run out")


def _holds(target: Path, files: Mapping[str, Path]) -> bool:
    """Whether `target` is the folder that an earlier attempt has published."""
    there = {each.name for each in target.iterdir()} if target.is_dir() else set()
    return files.keys() <= there and all(
        publish.is_published_from(source, target / name) for name, source in files.items()
    )


def _place(ctx: StageContext, files: Mapping[str, Path], target: Path) -> bool:
    """Fill a hidden folder and rename it, in one step; False if the name was taken meanwhile."""
    hidden = target.with_name(f".{target.name}.{ctx.job.id}.{secrets.token_hex(4)}.part")
    total, before = sum(source.stat().st_size for source in files.values()), 0
    try:
        hidden.mkdir()
        for name, source in files.items():

            def tell(done: int, before: int = before) -> None:
                ctx.progress((before + done) / total)

            publish.place(source, hidden / name, tell)
            before += source.stat().st_size
        hidden.rename(target)
    except OSError as error:
        if error.errno not in _TAKEN:
            raise
        return False
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
    publish.sync(target.parent)
    return True


def _clear(ctx: StageContext, target: Path) -> None:
    """Remove what an attempt of this job that was killed had begun to fill."""
    for half in target.parent.glob(f".{glob.escape(target.name)}.{ctx.job.id}.*.part"):
        shutil.rmtree(half, ignore_errors=True)
