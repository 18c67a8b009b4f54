"""The shells of flame that stand around the viewer."""

from __future__ import annotations

import math
from dataclasses import dataclass

from renderkiln.media.frames.noise import wrapped

GROUND = -0.92  # metres: how far the ground lies below the eyes
FOOT = -0.36  # metres: how far below the ground flames reach, on the mean


@dataclass(frozen=True)
class Shell:
    """One cylinder of flame.

    Whole numbers of tiles per turn close it without a seam; with no divisor in common they never repeat
    together on the way around.
    """

    radius: float  # metres
    stature: float  # metres to a height of 1 in the flame's own units
    strength: float  # of its light
    power: float  # of its heat: less is cooler in colour
    strands: float  # weight of the fine bright lines
    sway_tiles: int
    body_tiles: int
    strand_tiles: int
    start: float  # where in the textures it begins, so that shells differ
    top: float  # height in the flame's own units where its wisps end

    @property
    def constants(self) -> tuple[float, ...]:
        """As the kernels want them; the third is the flame's unit of width in turns."""
        unit = self.stature / (4 * math.pi * self.radius)
        tiles = (self.sway_tiles, self.body_tiles, self.strand_tiles)
        return (self.strength, self.strands, unit, *tiles, self.stature, self.top, self.power)

    def scrolls(self, phase: float, seconds: float) -> list[float]:
        """Texture offsets, wrapped in float64: the phase of hours would not fit float32."""
        offsets = (
            self.start + 0.010 * seconds,
            self.start - 0.085 * phase,
            self.start + 0.47 - 0.008 * seconds,
            self.start + 0.31 - 0.10 * phase,
            3 * self.start,
            5 * self.start - 0.15 * phase,
            7 * self.start,
            2 * self.start - 0.20 * phase,
        )
        return [wrapped(offset) for offset in offsets]


# From far to near.
SHELLS = (
    Shell(4.6, 5.2, 0.60, 0.62, 0.60, sway_tiles=4, body_tiles=7, strand_tiles=11, start=0.137, top=1.2),
    Shell(2.7, 3.3, 0.78, 0.80, 0.80, sway_tiles=3, body_tiles=5, strand_tiles=8, start=0.613, top=1.5),
    Shell(1.6, 2.2, 1.00, 1.00, 1.00, sway_tiles=2, body_tiles=5, strand_tiles=9, start=0.389, top=2.0),
)
