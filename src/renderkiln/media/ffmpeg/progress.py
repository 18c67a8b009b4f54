"""What FFmpeg says of itself through `-progress`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """One report. `seconds` is the output time reached, `speed` is × real time; None where unknown."""

    frame: int | None = None
    fps: float | None = None
    seconds: float | None = None
    size: int | None = None  # bytes written so far
    speed: float | None = None
    done: bool = False
