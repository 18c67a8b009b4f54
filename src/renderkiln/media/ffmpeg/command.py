"""Builds FFmpeg argument lists and runs nothing, so that whole command lines can be compared in tests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """Arguments after the binary's own path."""

    args: tuple[str, ...]
