"""Decides what the end of a stage means for the attempt: one `match` for every exception."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from renderkiln.domain.errors import Permanent, Stopped, Superseded, Temporary, UserError
from renderkiln.domain.outcomes import Cancelled, Failed, TryAgain
from renderkiln.engine.checkpoint import Checkpoint
from renderkiln.engine.context import StageWork, log_of
from renderkiln.media.errors import (
    FFmpegFailed,
    FFmpegStalled,
    FFmpegStopped,
    MediaError,
    Unreadable,
    Unsuitable,
)
from renderkiln.pipelines.contract import Result
from renderkiln.storage.errors import StorageError, Unavailable

Verdict = TryAgain | Failed | Cancelled

_KINDS: Mapping[str, type[Verdict]] = {kind.__name__: kind for kind in (TryAgain, Failed, Cancelled)}
_FULL = {errno.ENOSPC, errno.EDQUOT}
_SCARCE = {errno.ENOMEM, errno.EAGAIN, errno.EMFILE, errno.ENFILE}


def verdict(error: BaseException, *folders: Path) -> Verdict:
    """What becomes of an attempt that `error` ended; `folders` are those it was writing to.

    `INTERNAL` stands for an error that nobody foresaw: its traceback belongs in the log.
    """
    text = one_line(str(error))
    match error:
        case Stopped() | FFmpegStopped() | Superseded():
            return Cancelled()
        case Unavailable():
            return TryAgain("STORAGE", text)
        case StorageError():
            return Failed("STORAGE", text)
        case Temporary(delay=delay):
            return TryAgain("TEMPORARY", text, delay)
        case Permanent():
            return Failed("PERMANENT", text)
        case UserError():
            return Failed("INVALID", text)
        case Unreadable():
            return Failed("UNREADABLE", text)
        case Unsuitable():
            return Failed("UNSUITABLE", text)
        case FFmpegStalled():
            return TryAgain("FFMPEG_STALLED", text)
        case FFmpegFailed(returncode=int(status)) if status < 0:
            return TryAgain("FFMPEG_KILLED", text)
        case FFmpegFailed():
            return Failed("FFMPEG_FAILED", text)
        case MediaError():
            return Failed("MEDIA", text)
        case MemoryError() | OSError(errno=errno.ENOMEM):
            return TryAgain("OUT_OF_MEMORY", "the memory of this machine did not suffice")
        case OSError(errno=number) if number in _FULL:
            return Failed("DISK_FULL", _disk_full(folders))
        case OSError(errno=number) if number in _SCARCE:
            return TryAgain("SYSTEM", _system(error))
        case OSError(errno=int()):
            return Failed("SYSTEM", _system(error))
        case _:
            return Failed("INTERNAL", f"unexpected {type(error).__name__}: {text or 'without a word'}")


def perform(run: Callable[[], Result], work: StageWork) -> Checkpoint | Verdict:
    """Run a stage to its end and say what came of it; an error leaves its trace in the job's log."""
    try:
        return Checkpoint.seal(run(), work.workdir)
    except Exception as error:  # noqa: BLE001  plug-ins may raise anything
        log_of(work.job.id).info("the stage %s ended with an error", work.stage, exc_info=True)
        return verdict(error, work.workdir, work.services.output)


def to_json(ended: Verdict) -> dict[str, Any]:
    return {"verdict": type(ended).__name__, **asdict(ended)}


def from_json(data: Mapping[str, Any]) -> Verdict:
    fields = dict(data)
    return _KINDS[fields.pop("verdict")](**fields)


def one_line(text: str) -> str:
    """`text` with every run of white space, line breaks above all, as one blank."""
    return " ".join(text.split())


def _disk_full(folders: Sequence[Path]) -> str:
    """Which disk is full is rarely in the error: it is the one with the least room."""
    places = [next(p for p in (f, *f.absolute().parents) if p.is_dir()) for f in folders]
    room = {shutil.disk_usage(place).free: place for place in places}
    free = min(room)
    return f"No space left on the disk of {room[free]} ({free // 2**20} MB free): make room and run it again"


def _system(error: OSError) -> str:
    where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
    return one_line(f"{where}{error.strerror or error}")
