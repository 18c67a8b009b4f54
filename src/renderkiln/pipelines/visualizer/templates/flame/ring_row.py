"""A row of light around the ring, and how an eye sees it.

Rows are kept wider than the ring: both ends are repeated behind the seam, so that a shifted reading need not
wrap.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numpy import float32 as f32

from renderkiln.media.frames.kernel import inlined, kernel
from renderkiln.media.frames.noise import Texture, lookup

Light = npt.NDArray[np.float32]

MARGIN = 32  # columns repeated at each end of a row
SAMPLES = 120  # around the ring, of what is smooth: sway and haze
BLOCK = 480  # columns that are drawn or left out together


@kernel
def close(row: Light, width: int) -> None:
    """Repeat both ends of a row behind the seam."""
    for c in range(row.shape[0]):
        for i in range(MARGIN):
            row[c, i] = row[c, width + i]
            row[c, MARGIN + width + i] = row[c, MARGIN + i]
        row[c, 2 * MARGIN + width] = row[c, 2 * MARGIN]


@kernel
def lay_over(row: Light, shift: float, light: Light, j: int) -> None:
    """Lay a shell over what is behind it, as an eye sees it."""
    whole = math.floor(shift)
    f = f32(shift - whole)
    hides = row[3, MARGIN + int(whole) :]
    for c in range(3):
        seen, out = row[c, MARGIN + int(whole) :], light[c, j]
        for n in range(out.size):
            i = np.uint32(n)
            k = i + np.uint32(1)
            passes = f32(1) - (hides[i] + (hides[k] - hides[i]) * f)
            out[i] = out[i] * passes + seen[i] + (seen[k] - seen[i]) * f


@kernel
def ripple(soft: Texture, x: float, y: float) -> np.float32:
    """The smooth noise around 0."""
    return lookup(soft, f32(x), f32(y)) - f32(0.5)


@inlined
def smooth_step(x: np.float32) -> np.float32:
    x = min(max(x, f32(0)), f32(1))
    return x * x * (f32(3) - f32(2) * x)
