"""The log of one job: a file for whoever looks closer, and its end for whoever is not at this machine."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath

import renderkiln
from renderkiln.domain.discretion import longest_first, without
from renderkiln.engine.context import log_of
from renderkiln.engine.stage_child import LOG_FORMAT

MOST_KEPT = 65_536  # bytes of the log of a failed job that other machines can read
_CODE = (Path(renderkiln.__file__).parents[1], Path(sys.prefix), Path(sys.base_prefix))


class _JobLog(logging.FileHandler):
    """The file of one job. Where a full disk takes no line, nobody is told: the job's end says it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  the name that logging calls
        pass


@contextmanager
def logging_to(path: Path, job_id: str) -> Iterator[None]:
    """Write down there what is logged of the job."""
    log = log_of(job_id)
    log.propagate = False  # people read events; this is for whoever looks closer
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = _JobLog(path, delay=True)
    handler.setFormatter(logging.Formatter(LOG_FORMAT))
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        handler.close()


def end_of(path: Path, most: int) -> str:
    """The last whole lines, `most` bytes at most. Raises OSError."""
    with path.open("rb") as log:
        size = log.seek(0, os.SEEK_END)
        log.seek(max(0, size - most - 1))
        return last_lines(log.read(most + 1), most)


def last_lines(text: bytes, most: int) -> str:
    """The last whole lines of it, `most` bytes at most; the end of the last one where that is longer."""
    if len(text) > most:
        cut = text[-most:]
        text = cut if text[-most - 1 : -most] == b"\n" else cut.partition(b"\n")[2] or cut
    return text.decode(errors="replace").replace("\x00", "\ufffd")


def kept_of(path: Path, *folders: PurePath) -> str | None:
    """What others may read of a log that lies here: without our folders and these. None: there is none."""
    try:
        text = end_of(path, MOST_KEPT)
    except OSError:
        return None
    told: str = without(text, longest_first({*folders, *folders_here()}))
    return told


def folders_here() -> set[Path]:
    """Where code lies, programs and temporary files: what logs tell of, and nobody's business."""
    return {*_CODE, Path(tempfile.gettempdir()), Path.home(), Path.cwd()}
