"""Runs one FFmpeg command."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finished:
    """How a run ended well."""

    seconds: float  # wall time
    cpu_seconds: float
    peak_bytes: int
    tail: str  # the last lines of stderr
