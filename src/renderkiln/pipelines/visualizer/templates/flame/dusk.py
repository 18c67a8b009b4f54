"""Behind the fire: nebula, glow and a veil of far flames. All soft, so drawn at a quarter of the field."""

from __future__ import annotations

import math

import numpy as np
from numpy import float32 as f32

from renderkiln.media.frames.bloom import SHRINK, Light
from renderkiln.media.frames.expand import mix_rows, stretch
from renderkiln.media.frames.kernel import kernel
from renderkiln.media.frames.noise import Texture, lookup
from renderkiln.pipelines.visualizer.templates.flame.mood import Flow, Mood, Profile


@kernel
def paint_dusk(
    out: Light,
    span: tuple[float, float],
    mood: Mood,
    flow: Flow,
    height: Profile,
    soft: Texture,
    tints: Light,
) -> None:
    """Fill `out` (3, h, w), which spans `span` units of picture. `tints`: rows haze, glow, wisp; (3, 3)."""
    _, rows, columns = out.shape
    wide, tall = f32(span[0]), f32(span[1])
    pulse, haze_at, veil_at = f32(mood.pulse), f32(flow.haze), f32(flow.veil)
    bright = f32(mood.power) * f32(0.05)
    for j in range(rows):
        v = (f32(1) - (f32(j) + f32(0.5)) / f32(rows)) * tall
        low = v - f32(0.10)
        upward = f32(math.exp(-low * low * f32(3.4)))
        for n in range(columns):
            i = np.uint32(n)
            along = (f32(i) + f32(0.5)) / f32(columns)
            u = (along - f32(0.5)) * f32(2) * wide
            cloud = lookup(soft, u * f32(0.21) + haze_at, v * f32(0.26) + f32(0.4))
            fold = lookup(soft, u * f32(0.34) + cloud * f32(0.35), v * f32(0.21) - veil_at)
            density = f32(0.25) + f32(1.9) * cloud * cloud
            reach = height[min(i * np.uint32(SHRINK), np.uint32(height.size - 1))] * f32(1.5) + f32(0.10)
            tongue = f32(1) - v / (reach * (f32(0.45) + f32(1.5) * fold))
            tongue = max(tongue, f32(0))
            veil = tongue * tongue * bright * (f32(0.3) + f32(1.4) * fold)
            light = upward * pulse * (f32(0.65) + f32(0.7) * cloud) / (f32(1) + u * u * f32(0.42))
            for c in range(3):
                far = tints[2, c] * f32(0.6) + tints[1, c] * f32(0.4)
                out[c, j, i] = tints[0, c] * density + tints[1, c] * light + far * veil


@kernel
def spread(coarse: Light, light: Light) -> None:
    """Enlarge a quarter-size picture over all of `light`."""
    _, height, width = light.shape
    row = np.empty(coarse.shape[2] + 2, np.float32)
    fine = np.empty(coarse.shape[2] * SHRINK, np.float32)
    for c in range(3):
        for j in range(height):
            at = (f32(j) + f32(0.5)) * f32(1 / SHRINK) - f32(0.5)
            mix_rows(coarse[c], at, False, row)  # noqa: FBT003  # not around
            stretch(row, SHRINK, fine)
            for n in range(width):
                light[c, j, np.uint32(n)] = fine[np.uint32(n)]
