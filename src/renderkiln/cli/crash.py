"""Keeps the traceback of a bug in a file instead of throwing it at people."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from datetime import datetime
from pathlib import Path

from renderkiln import __version__


def record(error: BaseException) -> Path:
    """Write what is known about `error` to a new file under the home folder's `logs`; where it is."""
    text = "\n".join(
        [
            f"renderkiln {__version__}, Python {sys.version.split()[0]} on {sys.platform}",
            f"command: {sys.argv!r}",
            "".join(traceback.format_exception(error)),
        ]
    )
    name = f"crash-{datetime.now().astimezone():%Y%m%d-%H%M%S}-{os.getpid()}.log"
    for folder in (_logs(), Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / name
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError:  # no home to write to: then beside everybody's temporary files
            continue
        return path
    return Path("(no folder could be written to)")


def _logs() -> Path:
    from renderkiln.domain.errors import UsageError
    from renderkiln.settings import Settings

    try:
        return Settings.load().home / "logs"
    except UsageError:  # the settings themselves may be what is broken
        return Path(tempfile.gettempdir())
