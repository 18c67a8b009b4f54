"""The log of one job: a file for whoever looks closer."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from renderkiln.engine.context import log_of
from renderkiln.engine.stage_child import LOG_FORMAT


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
