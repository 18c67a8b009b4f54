"""The frame rates a gif can have: it counts in hundredths of a second."""

from __future__ import annotations

from fractions import Fraction

SHORTEST, LONGEST = 2, 65_535  # centiseconds; browsers take 1 for 10

# 10, 12.5, 16.67, 20, 25, 33.3 and 50 frames per second
RATES = tuple(Fraction(100, delay) for delay in (10, 8, 6, 5, 4, 3, 2))


def delay(fps: Fraction) -> int:
    """How long a frame is shown, in centiseconds. Raises ValueError for rates that a gif cannot have."""
    shown = 100 / fps
    if shown.denominator != 1 or not SHORTEST <= shown <= LONGEST:
        raise ValueError(f"{fps} frames per second: a gif's frames last whole hundredths of a second, from 2")
    return int(shown)
