"""obstore's threads do not survive a fork: a child of a process that has used them would wait for ever."""

from __future__ import annotations

import os

from renderkiln.storage.errors import Refused

_first_used_by: int | None = None  # a process


def refuse_after_fork() -> None:
    """To be called before each use; raises `Refused` in such a child. To import obstore does no harm."""
    global _first_used_by
    process = os.getpid()
    if _first_used_by is None:
        _first_used_by = process
    if _first_used_by != process:
        raise Refused("this process was forked from one that has used a bucket: now it cannot")
