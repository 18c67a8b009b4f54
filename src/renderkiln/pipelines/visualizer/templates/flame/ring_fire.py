"""The fire of one shell, row by row."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy import float32 as f32

from renderkiln.media.audio.features import BANDS
from renderkiln.media.frames.kernel import inlined, kernel
from renderkiln.media.frames.noise import Texture, lookup
from renderkiln.media.frames.palette import STEPS
from renderkiln.pipelines.visualizer.templates.flame.mood import Mood
from renderkiln.pipelines.visualizer.templates.flame.ring_row import (
    BLOCK,
    MARGIN,
    SAMPLES,
    Light,
    ripple,
    smooth_step,
)
from renderkiln.pipelines.visualizer.templates.flame.ring_shells import FOOT

COLUMNS = 2048  # of the profile of flame heights around the ring: so many that none need be mixed
EXPOSURE = 0.9  # of the mood's power: there is much more fire here than in the flat picture

_NOTHING = f32(6.5)  # relative height above which a flame is not seen any more
_TREBLE_BANDS = 6  # the highest ones are hiss: left out of the profile
_AROUND = (np.arange(COLUMNS) + 0.5) / COLUMNS  # 0 is the seam behind the viewer
_TO_SIDE = np.abs((2 * _AROUND + 0.5) % 1 - 0.5) * 2  # 0 ahead and behind, 1 at the sides
_PLACE = _TO_SIDE**1.15 * (BANDS - 1 - _TREBLE_BANDS)
_SOFTEN = np.hanning(81) / np.hanning(81).sum()


def flame_heights(record: Any, intensity: float) -> Light:
    """Height of the flames around the ring from the seam on, shape (COLUMNS,), in a flame's own units.

    Bass stands ahead of and behind the viewer, treble at the sides, mirrored so that the ring closes.
    """
    spread = np.interp(_PLACE, np.arange(BANDS), np.asarray(record["bands"], np.float64))
    spread = np.convolve(np.pad(spread, _SOFTEN.size // 2, mode="wrap"), _SOFTEN, mode="valid")
    lift = 0.34 * spread + 0.20 * float(record["low"])
    loudness = 0.62 + 0.55 * float(record["rms"])
    return (0.11 + lift * intensity * loudness).astype(np.float32)


@kernel
def flame_row(
    out: Light, height: float, air: float, width: int, scratch: Light, shell: Light, scroll: Light,
    mood: Mood, heights: Light, body: Texture, lines: Texture, soft: Texture, ramp: Light, wisp: Light,
) -> None:  # fmt: skip
    """One row of one shell: light (rows 0 to 2 of `out`) and what it hides of the shells behind (row 3).

    In small loops of few arrays each: more, and the compiler no longer proves them apart and vectorises.
    """
    strength, line_weight, unit, body_tiles, line_tiles = shell[0], shell[1], shell[2], shell[4], shell[5]
    _sway_row(soft, shell[3], scroll, height, width, scratch[0], scratch[1])
    v = f32(height)
    rise = f32(0.5) * (v + f32(math.sqrt(v * v + f32(0.004))))
    # what rises gets faster and longer
    stretched = f32(math.log(1 + 1.7 * max(height, 0.0))) * f32(1 / 1.7) + min(v, f32(0))
    above, power = v * shell[6] - f32(FOOT), f32(EXPOSURE * mood.power) * shell[8]
    wander = f32(0.14) + f32(0.44) * rise
    for start in range(0, scratch.shape[1], BLOCK):
        stop, at = start + BLOCK, MARGIN + start
        q1, q2, px = scratch[0, start:stop], scratch[1, start:stop], scratch[2, start:stop]
        noise, up, ridge = scratch[3, start:stop], scratch[4, start:stop], scratch[5, start:stop]
        _places(start, width, wander * f32(1.6) * unit, q1, px)
        _body_noise(body, body_tiles, scroll[4], scroll[5], stretched, wander * f32(0.5), px, q2, noise)
        if _relative_heights(px, q2, noise, heights, rise, up) >= _NOTHING:
            out[:, at : at + BLOCK] = 0
            continue
        _ridges(lines, line_tiles, scroll[6], scroll[7], stretched, wander * f32(0.5), px, q1, q2, ridge)
        _burn(above, q2, noise, line_weight, power, f32(mood.flash), f32(mood.air * air), up, ridge)
        for c in range(3):
            _colour(up, ridge, ramp[c], wisp[c], strength, out[c, at : at + BLOCK])
        _hide(up, out[3, at : at + BLOCK])


@kernel
def _sway_row(
    soft: Texture, tiles: float, scroll: Light, height: float, width: int, q1: Light, q2: Light
) -> None:
    """Two smooth noises, mean 0, along one row."""
    grid = max(1, width // SAMPLES)
    step = f32(grid * tiles / width)
    y1 = f32(height) * f32(0.24) + scroll[1]
    y2 = f32(height) * f32(0.24) + scroll[3]
    a = ripple(soft, scroll[0], y1)
    c = ripple(soft, scroll[2], y2)
    for start in range(0, q1.size, grid):
        x = f32(start // grid + 1) * step
        b = ripple(soft, x + scroll[0], y1)
        d = ripple(soft, x + scroll[2], y2)
        for k in range(min(grid, q1.size - start)):
            t = (f32(k) + f32(0.5)) / f32(grid)
            i = np.uint32(start + k)
            q1[i] = a + (b - a) * t
            q2[i] = c + (d - c) * t
        a = b
        c = d


@kernel
def _places(start: int, width: int, across: np.float32, q1: Light, px: Light) -> None:
    """Place on the ring in turns, swayed."""
    for n in range(px.size):
        i = np.uint32(n)
        px[i] = (f32(start) + f32(i) + f32(0.5)) / f32(width) + q1[i] * across


@kernel
def _body_noise(
    body: Texture, tiles: np.float32, at_x: np.float32, at_y: np.float32,
    height: np.float32, wander: np.float32, px: Light, q2: Light, noise: Light,
) -> None:  # fmt: skip
    """Noise of the flames' bodies.

    The texture climbs by whole tiles on its way around: no two of its rounds show the same rows.
    """
    for n in range(px.size):
        i = np.uint32(n)
        y = (height + q2[i] * wander) * f32(0.40) + px[i]
        noise[i] = lookup(body, px[i] * tiles + at_x, y + at_y)


@kernel
def _ridges(
    lines: Texture, tiles: np.float32, at_x: np.float32, at_y: np.float32,
    height: np.float32, wander: np.float32, px: Light, q1: Light, q2: Light, ridge: Light,
) -> None:  # fmt: skip
    """The bright strands: 1 where a noise crosses its mean, falling to 0 beside."""
    for n in range(px.size):
        i = np.uint32(n)
        x = px[i] * tiles + q2[i] * f32(0.30)
        y = (height + q2[i] * wander) * f32(0.46) + q1[i] * f32(0.25) + px[i] + px[i]
        near = max(f32(1) - abs(lookup(lines, x + at_x, y + at_y) - f32(0.5)) * f32(4.6), f32(0))
        ridge[i] = near * near


@kernel
def _relative_heights(
    px: Light, q2: Light, noise: Light, heights: Light, rise: np.float32, up: Light
) -> np.float32:
    """Height in flame lengths into `up`; returns the least of them."""
    nearest = _NOTHING
    for n in range(up.size):
        i = np.uint32(n)
        k = np.int32((px[i] + f32(1)) * f32(COLUMNS)) & np.int32(COLUMNS - 1)
        reach = heights[k] * (f32(0.85) + f32(1.1) * q2[i])
        relative = rise / (reach * (f32(0.40) + f32(1.30) * noise[i]))
        up[i] = relative
        nearest = min(nearest, relative)
    return nearest


@kernel
def _burn(
    above: np.float32, q2: Light, noise: Light, line_weight: np.float32,
    power: np.float32, flash: np.float32, wisps: np.float32, up: Light, ridge: Light,
) -> None:  # fmt: skip
    """Turn `up` (height in flame lengths) into heat 0 … 1 and `ridge` into the strength of wisps.

    `above`: metres above the flames' feet, which lie at different heights so that they draw no line.
    """
    for n in range(up.size):
        i = np.uint32(n)
        foot = smooth_step((above + q2[i] * f32(0.55)) * f32(1.9))
        fading = max(_falling(up[i] * f32(0.95)) - f32(0.003), f32(0)) * foot
        core = max(f32(1) - up[i], f32(0))
        core = core * core * (f32(3) - f32(2) * core) * foot
        bright = (f32(0.36) + f32(0.10) * flash) * ridge[i] * line_weight
        heat = core * (f32(0.20) + f32(0.52) * noise[i] + bright)
        veil = fading * ridge[i] * ridge[i] * (f32(0.22) + f32(0.32) * noise[i]) * line_weight
        heat = min(max((heat + veil) * power, f32(0)), f32(0.999))
        up[i] = heat
        ridge[i] = fading * wisps * ridge[i] * (f32(1) - heat)


@kernel
def _colour(
    heat: Light, threads: Light, ramp: Light, wisp: np.float32, strength: np.float32, out: Light
) -> None:
    for n in range(out.size):
        i = np.uint32(n)
        shade = np.int32(heat[i] * f32(STEPS - 1)) & np.int32(STEPS - 1)
        out[i] = (ramp[shade] + wisp * threads[i]) * strength


@kernel
def _hide(heat: Light, out: Light) -> None:
    for n in range(out.size):
        i = np.uint32(n)
        out[i] = min(heat[i] * f32(1.4), f32(0.85))


@inlined
def _falling(x: np.float32) -> np.float32:
    """About exp(-x) for x ≥ 0, without a call that would keep the loop from being vectorised."""
    z = f32(1) + x * f32(0.125) * (f32(1) + x * f32(0.0625))
    z = z * z
    z = z * z
    return f32(1) / (z * z)
