"""The light in the middle that breathes with the bass."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from renderkiln.media.frames.bloom import Light
from renderkiln.media.frames.kernel import inlined, kernel
from renderkiln.media.frames.noise import Texture, lookup
from renderkiln.media.frames.palette import STEPS

CORONA = 2.0  # radii to where the corona ends


@kernel
def draw_core(
    light: Light,
    x: float,
    y: float,
    radius: float,
    gain: float,
    ramp: Light,
    glow: npt.NDArray[np.float32],
    tile: Texture,
    drift: float,
) -> None:
    """Add a soft sphere of plasma around (x, y) with its corona; `radius` in samples, `drift` in tiles."""
    _, height, width = light.shape
    reach = np.float32(CORONA * radius)
    inverse = np.float32(1 / radius)
    stream = np.float32(drift)
    for j in range(max(int(y - reach), 0), min(int(y + reach) + 1, height)):
        dy = (np.float32(j) + np.float32(0.5) - np.float32(y)) * inverse
        for i in range(max(int(x - reach), 0), min(int(x + reach) + 1, width)):
            dx = (np.float32(i) + np.float32(0.5) - np.float32(x)) * inverse
            distance = np.float32(math.sqrt(dx * dx + dy * dy)) + np.float32(1e-3)
            far = np.float32(1) - distance * np.float32(1 / CORONA)
            if far <= 0:
                continue
            rays = lookup(
                tile,
                dx / distance * np.float32(0.16) + stream,
                dy / distance * np.float32(0.16) - distance * np.float32(0.03),
            )
            corona = far * far * far * (np.float32(0.10) + np.float32(1.1) * rays * rays * rays)
            shine = corona / (np.float32(0.45) + distance) * np.float32(gain)
            for c in range(3):
                light[c, j, i] += glow[c] * shine
            inside = min((np.float32(1.16) - distance) * np.float32(2.4), np.float32(1))
            if inside > 0:
                heat = _plasma(tile, dx, dy, distance, stream) * inside * inside * np.float32(gain)
                step = min(int(heat * np.float32(STEPS)), STEPS - 8)
                for c in range(3):
                    light[c, j, i] += ramp[step, c] * inside


@inlined
def _plasma(
    tile: Texture, dx: np.float32, dy: np.float32, distance: np.float32, drift: np.float32
) -> np.float32:
    """Filaments on a ball, place on the colour ramp: bright where they are thin, and along the limb."""
    depth = np.float32(math.sqrt(max(np.float32(1) - distance * distance, np.float32(0))))
    bulge = np.float32(0.20) / (np.float32(0.50) + depth)
    u, v = dx * bulge, dy * bulge
    slow = lookup(tile, u - drift, v + np.float32(0.30))
    fast = lookup(tile, u * np.float32(1.9) + slow * np.float32(0.22) + drift, v * np.float32(1.9) - drift)
    thin = max(np.float32(1) - abs(fast - np.float32(0.5)) * np.float32(5), np.float32(0))
    limb = np.float32(1) - depth
    return (
        np.float32(0.40) + np.float32(0.16) * slow + np.float32(0.34) * thin * thin + np.float32(0.16) * limb
    )
