"""Limits of a process that draws a picture while somebody waits for it."""

from __future__ import annotations

import resource
import sys
import threading

from renderkiln.domain.errors import UserError
from renderkiln.engine.stage_child import die_with

SECONDS = 60.0  # that drawing may take; the first picture on a machine compiles kernels
MEMORY_BYTES = 8 << 30  # of address space: what is loaded reserves some already
_CPU_SECONDS = 240  # several threads draw


class TooSlow(UserError):
    """It takes too long, or too much memory, to be drawn while somebody waits."""


def confine(server: int) -> None:
    """Let this process die with the fork server of that process id, and take no more than its part."""
    threading.Thread(target=die_with, args=(server,), name="die-with-server", daemon=True).start()
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # elsewhere address space cannot be limited
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
