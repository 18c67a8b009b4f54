"""The fire: bodies of flame, strands of light in them, threads and wisps above."""

from __future__ import annotations

import math

import numpy as np
from numpy import float32 as f32

from renderkiln.media.frames.bloom import Light
from renderkiln.media.frames.kernel import inlined, kernel
from renderkiln.media.frames.noise import Texture, lookup, sample
from renderkiln.media.frames.palette import STEPS
from renderkiln.pipelines.visualizer.templates.flame.mood import Flow, Mood, Profile

GRID = 8  # field pixels between two samples of the sway: it is smooth
ROWS = 13  # rows of scratch
_REACH = f32(4.6)  # relative height at which the last wisp ends


@kernel
def paint_fire(
    light: Light,
    span: tuple[float, float],
    mood: Mood,
    flow: Flow,
    height: Profile,
    colours: tuple[Light, Light],
    tiles: tuple[Texture, Texture, Texture],
    sway: Light,
    rows: Light,
) -> None:
    """Add the fire to `light` (3, h, w).

    Places are in units of the picture, which is `span` units to each side and up. `height` is the flames'
    height at each column. `colours`: ramp (3, STEPS) and wisp (3,). `tiles`: body, strands, sway.
    `sway` and `rows` are scratch of shape `sway_shape(h, w)` and (ROWS, w + GRID).
    """
    _, tall, wide = light.shape
    body, strands, soft = tiles
    ramp, wisp = colours
    _paint_sway(sway, tall, wide, span, flow, soft)
    step = f32(span[1] / tall)
    highest = f32(0)
    for n in range(wide):
        highest = max(highest, height[np.uint32(n)])
    for j in range(tall):
        v = (f32(tall - j) - f32(0.5)) * step
        if v > highest * f32(1.7) * _REACH:
            continue
        _sway_row(sway, j, rows[0], rows[1])
        _place_body(rows, wide, v, span, flow)
        sample(body, rows[2], rows[3], 0, wide, rows[4])
        first, last = _measure(rows, wide, v, height)
        if first < last:
            _place_strands(rows, first, last, flow)
            sample(strands, rows[6], rows[7], first, last, rows[8])
            sample(strands, rows[9], rows[10], first, last, rows[11])
            _burn(rows, first, last, mood)
            for c in range(3):
                _colour(light[c, j], rows, first, last, ramp[c], wisp[c])


@kernel
def _place_body(rows: Light, wide: int, v: float, span: tuple[float, float], flow: Flow) -> None:
    """Where the body's noise is read: swaying, and stretched with height, as what rises gets faster."""
    q1, q2, x, y = rows[0], rows[1], rows[2], rows[3]
    step = f32(2 * span[0] / wide)
    left = f32(0.5) * step - f32(span[0])
    stretched = f32(math.log(1 + 1.2 * v) / 1.2)
    wander = f32(0.16) + f32(0.62) * f32(v)
    body_at = f32(flow.body)
    for n in range(wide):
        i = np.uint32(n)
        x[i] = (f32(n) * step + left + q1[i] * wander) * f32(0.40)
        y[i] = (stretched + q2[i] * wander * f32(0.5)) * f32(0.27) - body_at


@kernel
def _measure(rows: Light, wide: int, v: float, height: Profile) -> tuple[int, int]:
    """Height relative to the flame of each column (1 is its tip); and the columns that have any light."""
    noise, up = rows[4], rows[5]
    above_source = f32(v) + f32(0.06)  # the fire burns below the picture's lower edge
    for n in range(wide):
        i = np.uint32(n)
        up[i] = above_source / (height[i] * (f32(0.14) + f32(1.80) * max(noise[i], f32(0.05))))
    first, last = 0, wide
    while first < wide and up[first] >= _REACH:
        first += 1
    while last > first and up[last - 1] >= _REACH:
        last -= 1
    return first, last


@kernel
def _place_strands(rows: Light, first: int, last: int, flow: Flow) -> None:
    q1, q2, x, y = rows[0], rows[1], rows[2], rows[3]
    x1, y1, x2, y2 = rows[6], rows[7], rows[9], rows[10]
    body_at, strand_at, thread_at = f32(flow.body), f32(flow.strand), f32(flow.thread)
    for n in range(first, last):
        i = np.uint32(n)
        rise = y[i] + body_at
        x1[i] = x[i] * f32(1.85) + q2[i] * f32(0.30)
        y1[i] = rise * f32(1.25) - strand_at + q1[i] * f32(0.20)
        x2[i] = x[i] * f32(3.37) + f32(0.37)
        y2[i] = rise * f32(1.60) - thread_at + q2[i] * f32(0.30)


@kernel
def _burn(rows: Light, first: int, last: int, mood: Mood) -> None:
    """Heat (a place on the ramp, 0 … STEPS) into row 6 and threads of light into row 7."""
    noise, up, strand, thread = rows[4], rows[5], rows[8], rows[11]
    heat, threads = rows[6], rows[7]
    power, air, flash = f32(mood.power), f32(mood.air), f32(mood.flash)
    for n in range(first, last):
        i = np.uint32(n)
        ridge = _ridge(strand[i], f32(6.0))
        fine = _ridge(thread[i], f32(7.5))
        relative = up[i]
        fading = max(f32(1) - relative * (f32(1) / _REACH), f32(0))
        fading *= fading
        fading *= fading
        core = max(f32(1) - relative, f32(0))
        full = core * core * (f32(3) - f32(2) * core)
        lit = f32(0.18) + f32(0.52) * noise[i] + (f32(0.36) + f32(0.10) * flash) * ridge + f32(0.12) * fine
        veil = fading * ridge * ridge * (f32(0.22) + f32(0.32) * noise[i] + f32(0.10) * flash)
        hot = min((full * lit + veil) * power, f32(0.999))
        heat[i] = hot * f32(STEPS - 1)
        threads[i] = fading * air * (ridge * ridge * f32(1.0) + fine * f32(0.30)) * (f32(1) - hot)


@kernel
def _colour(light: Profile, rows: Light, first: int, last: int, ramp: Profile, wisp: float) -> None:
    heat, threads = rows[6], rows[7]
    for n in range(first, last):
        i = np.uint32(n)
        light[i] += ramp[np.uint32(heat[i])] + f32(wisp) * threads[i]


def sway_shape(height: int, width: int) -> tuple[int, int, int]:
    """Shape of the scratch for the sway of a field."""
    return 2, -(-height // GRID) + 1, -(-width // GRID) + 1


@kernel
def _paint_sway(
    sway: Light, tall: int, wide: int, span: tuple[float, float], flow: Flow, soft: Texture
) -> None:
    across, down = f32(flow.sway), f32(flow.sway_across)
    drift = f32(flow.drift)
    for j in range(sway.shape[1]):
        v = f32(tall - j * GRID) * f32(span[1] / tall)
        for n in range(sway.shape[2]):
            i = np.uint32(n)
            u = f32(n * GRID) * f32(2 * span[0] / wide) - f32(span[0])
            sway[0, j, i] = lookup(soft, u * f32(0.22) + drift, v * f32(0.24) - across) - f32(0.5)
            sway[1, j, i] = lookup(soft, u * f32(0.22) + f32(0.47) - drift, v * f32(0.24) - down) - f32(0.5)


@kernel
def _sway_row(sway: Light, j: int, q1: Profile, q2: Profile) -> None:
    above = j // GRID
    part = f32(j - above * GRID) * f32(1 / GRID)
    for which in range(2):
        grid, out = sway[which], q1 if which == 0 else q2
        left = grid[above, 0] + (grid[above + 1, 0] - grid[above, 0]) * part
        for n in range(grid.shape[1] - 1):
            right = grid[above, n + 1] + (grid[above + 1, n + 1] - grid[above, n + 1]) * part
            for k in range(GRID):
                out[np.uint32(n * GRID + k)] = left + (right - left) * (f32(k) * f32(1 / GRID))
            left = right


@inlined
def _ridge(noise: np.float32, sharpness: np.float32) -> np.float32:
    """1 where the noise crosses its mean, falling to 0 beside: a filament."""
    near = max(f32(1) - abs(noise - f32(0.5)) * sharpness, f32(0))
    return near * near
