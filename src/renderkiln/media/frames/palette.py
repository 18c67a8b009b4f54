"""Colours: a ramp from dark to hot for the light of a template, and the few tints around it.

All values are linear light, BT.709 primaries; 1.0 is a bright but not yet burnt-out surface.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Colour = tuple[float, float, float]

STEPS = 1024


@dataclass(frozen=True)
class Palette:
    """Named colours of a look."""

    name: str
    stops: tuple[tuple[float, Colour], ...]  # ramp: place 0 … 1 and colour
    haze: Colour  # the far background, at full strength
    glow: Colour  # what the light throws on its surroundings
    wisp: Colour  # thin filaments above the light
    spark: Colour  # a fresh ember
    ash: Colour  # an ember about to go out

    @cached_property
    def ramp(self) -> npt.NDArray[np.float32]:
        """The stops joined by a smooth curve, read-only, shape (STEPS, 3)."""
        places = np.array([place for place, _ in self.stops])
        colours = np.array([colour for _, colour in self.stops])
        at = np.linspace(0, 1, STEPS)
        ramp = np.stack([_monotone(places, colours[:, c], at) for c in range(3)], axis=1).astype(np.float32)
        ramp.flags.writeable = False
        return ramp


def _monotone(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], at: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Monotone cubic interpolation (Fritsch and Carlson 1980): no kinks at the stops, no overshoot."""
    slope = np.diff(y) / np.diff(x)
    inner = np.where(slope[1:] * slope[:-1] > 0, 2 / (1 / _nonzero(slope[1:]) + 1 / _nonzero(slope[:-1])), 0)
    tangent = np.concatenate(([slope[0]], inner, [slope[-1]]))
    i = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
    width = x[i + 1] - x[i]
    t = (at - x[i]) / width
    rise = y[i] * (1 + 2 * t) * (1 - t) ** 2 + y[i + 1] * t**2 * (3 - 2 * t)
    return np.asarray(rise + width * (tangent[i] * t * (1 - t) ** 2 - tangent[i + 1] * t**2 * (1 - t)))


def _nonzero(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(values == 0, 1e-12, values)


ETHEREAL = Palette(
    name="ethereal",
    stops=(
        (0.00, (0.000, 0.000, 0.000)),
        (0.10, (0.010, 0.004, 0.045)),
        (0.24, (0.085, 0.012, 0.250)),
        (0.40, (0.480, 0.035, 0.300)),
        (0.54, (1.150, 0.150, 0.080)),
        (0.70, (1.800, 0.520, 0.090)),
        (0.86, (2.350, 1.200, 0.340)),
        (1.00, (2.900, 2.150, 1.150)),
    ),
    haze=(0.0040, 0.0032, 0.0125),
    glow=(0.60, 0.16, 0.66),
    wisp=(0.30, 0.30, 1.35),
    spark=(1.70, 0.55, 0.10),
    ash=(0.80, 0.12, 0.30),
)
EMBER = Palette(
    name="ember",
    stops=(
        (0.00, (0.000, 0.000, 0.000)),
        (0.12, (0.022, 0.004, 0.003)),
        (0.28, (0.190, 0.016, 0.004)),
        (0.44, (0.720, 0.085, 0.008)),
        (0.60, (1.550, 0.330, 0.025)),
        (0.76, (2.300, 0.900, 0.120)),
        (0.90, (2.900, 1.900, 0.600)),
        (1.00, (3.400, 3.000, 2.000)),
    ),
    haze=(0.0085, 0.0036, 0.0034),
    glow=(0.72, 0.13, 0.03),
    wisp=(0.85, 0.21, 0.06),
    spark=(1.80, 0.60, 0.08),
    ash=(0.90, 0.10, 0.02),
)
ICE = Palette(
    name="ice",
    stops=(
        (0.00, (0.000, 0.000, 0.000)),
        (0.12, (0.003, 0.007, 0.036)),
        (0.28, (0.008, 0.045, 0.240)),
        (0.44, (0.020, 0.200, 0.700)),
        (0.60, (0.080, 0.620, 1.350)),
        (0.76, (0.450, 1.300, 2.000)),
        (0.90, (1.500, 2.200, 2.700)),
        (1.00, (3.000, 3.300, 3.500)),
    ),
    haze=(0.0032, 0.0048, 0.0125),
    glow=(0.05, 0.24, 0.80),
    wisp=(0.16, 0.62, 1.30),
    spark=(0.35, 0.90, 1.80),
    ash=(0.10, 0.30, 0.95),
)
AURORA = Palette(
    name="aurora",
    stops=(
        (0.00, (0.000, 0.000, 0.000)),
        (0.11, (0.014, 0.003, 0.046)),
        (0.25, (0.050, 0.022, 0.220)),
        (0.41, (0.020, 0.190, 0.340)),
        (0.57, (0.040, 0.760, 0.430)),
        (0.74, (0.330, 1.550, 0.560)),
        (0.89, (1.300, 2.500, 1.050)),
        (1.00, (2.900, 3.400, 2.500)),
    ),
    haze=(0.0036, 0.0046, 0.0120),
    glow=(0.10, 0.62, 0.50),
    wisp=(0.62, 0.22, 1.20),
    spark=(0.45, 1.70, 0.60),
    ash=(0.20, 0.34, 0.80),
)
MONO = Palette(
    name="mono",
    stops=(
        (0.00, (0.000, 0.000, 0.000)),
        (0.14, (0.012, 0.012, 0.014)),
        (0.32, (0.080, 0.082, 0.090)),
        (0.52, (0.380, 0.385, 0.400)),
        (0.74, (1.200, 1.190, 1.170)),
        (1.00, (3.200, 3.150, 3.050)),
    ),
    haze=(0.0050, 0.0052, 0.0058),
    glow=(0.26, 0.26, 0.28),
    wisp=(0.46, 0.48, 0.54),
    spark=(2.00, 1.95, 1.85),
    ash=(0.40, 0.40, 0.42),
)

NAMED = {palette.name: palette for palette in (ETHEREAL, EMBER, ICE, AURORA, MONO)}


def named(name: str) -> Palette:
    """The palette of that name; `default` is ethereal. Raises ValueError with the names there are."""
    if name == "default":
        return ETHEREAL
    try:
        return NAMED[name]
    except KeyError:
        raise ValueError(f"no palette {name!r}; there are default, {', '.join(NAMED)}") from None
