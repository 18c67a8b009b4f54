"""What the shells of flame stand in: the sky behind them and the ground that they light."""

from __future__ import annotations

import math

import numpy as np
from numpy import float32 as f32

from renderkiln.media.frames import equirect
from renderkiln.media.frames.kernel import kernel
from renderkiln.media.frames.noise import Texture
from renderkiln.pipelines.visualizer.templates.flame.ring_row import MARGIN, SAMPLES, Light, ripple
from renderkiln.pipelines.visualizer.templates.flame.ring_shells import GROUND, SHELLS


def ground_distance(latitude: equirect.Angles) -> equirect.Angles:
    """How far away a ray below the horizon meets the ground, in metres; far where it does not."""
    return np.asarray(-GROUND / np.tan(np.maximum(-latitude, 0.01)))


def calm_of(latitude: equirect.Angles) -> equirect.Angles:
    """1 around the horizon, 0 at the poles, where all columns meet and detail would be pinched."""
    return _smoothstep((math.radians(70) - np.abs(latitude)) / math.radians(42))


def horizon_glow(latitude: equirect.Angles) -> equirect.Angles:
    """The fire's glow in the air."""
    return np.asarray(np.exp(-(((latitude - 0.05) / 0.45) ** 2)))


def ground_light_of(distance: equirect.Angles) -> equirect.Angles:
    """How much of the fire's light lies on the ground: most at its foot, hardly any under the viewer."""
    near = SHELLS[-1].radius
    inside = np.exp(-(((distance - near) / 0.68) ** 2))
    outside = _smoothstep((14 - distance) / 12) * near / np.maximum(distance, near)
    return np.asarray(np.where(distance < near, inside, outside))


def ground_detail_of(distance: equirect.Angles) -> equirect.Angles:
    """How well single flames are told apart in that light: less and less towards the middle of the ring."""
    return _smoothstep((distance - 0.35) / 1.3)


def _smoothstep(x: equirect.Angles) -> equirect.Angles:
    x = np.clip(x, 0, 1)
    return np.asarray(x * x * (3 - 2 * x))


@kernel
def sky_row(
    out: Light, width: int, scratch: Light, soft: Texture, up: float, drift: tuple[float, float],
    calm: float, glow: float, tints: Light,
) -> None:  # fmt: skip
    """Haze at infinity, even towards the poles, and the glow of the fire in it."""
    n1 = scratch[0]
    grid = max(1, width // SAMPLES)
    a = _haze(soft, 0.0, up, drift)
    for start in range(0, n1.size, grid):
        b = _haze(soft, (start + grid) / width, up, drift)
        for k in range(min(grid, n1.size - start)):
            n1[np.uint32(start + k)] = f32(0.5) + (a + (b - a) * (f32(k) + f32(0.5)) / f32(grid)) * f32(calm)
        a = b
    for c in range(3):
        haze, fire, row = tints[0, c], tints[1, c] * f32(glow), out[c, MARGIN:]
        for n in range(n1.size):
            i = np.uint32(n)
            row[i] = haze * (f32(0.35) + f32(1.5) * n1[i] * n1[i]) + fire * (f32(0.6) + f32(0.8) * n1[i])


@kernel
def _haze(soft: Texture, x: float, up: float, drift: tuple[float, float]) -> np.float32:
    rough = ripple(soft, x * 3 + drift[0], up + drift[1] + x)
    return rough + f32(0.5) * ripple(soft, x * 7 - drift[0], 2.3 * up - x)


@kernel
def blur_around(source: Light, target: Light, width: int, spread: int, tint: Light) -> None:
    """What the foot of the near flames throws on the ground: its light, blurred along the ring and tinted.

    Row 3 of `target` gets the mean of each colour.
    """
    total, mean = f32(0), f32(0)
    for i in range(-spread, spread + 1):
        k = MARGIN + (i + width) % width
        total += source[0, k] + source[1, k] + source[2, k]
    for i in range(width):
        enters, leaves = MARGIN + (i + spread + 1) % width, MARGIN + (i - spread + width) % width
        target[0, MARGIN + i] = total * f32(1.0 / (2 * spread + 1))
        mean += target[0, MARGIN + i]
        total += source[0, enters] + source[1, enters] + source[2, enters]
        total -= source[0, leaves] + source[1, leaves] + source[2, leaves]
    for c in range(2, -1, -1):
        target[3, c] = mean / f32(width) * tint[c]
        for i in range(width):
            target[c, MARGIN + i] = target[0, MARGIN + i] * tint[c]


@kernel
def light_ground(row: Light, shift: float, amount: float, detail: float, light: Light, j: int) -> None:
    """Add the light on the ground as an eye sees it."""
    whole = math.floor(shift)
    f = f32(shift - whole)
    for c in range(3):
        seen, out = row[c, MARGIN + int(whole) :], light[c, j]
        sharp, even = f32(amount * detail), f32(amount * (1 - detail)) * row[3, c]
        for n in range(out.size):
            i = np.uint32(n)
            out[i] += even + (seen[i] + (seen[i + np.uint32(1)] - seen[i]) * f) * sharp
