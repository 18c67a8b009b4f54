"""The light of the ring: shells of flame around the viewer, the ground they stand on, the sky behind them.

What a shell shows is a function of azimuth and height alone, and on every row both eyes see the same height
of it, only turned a little (see `media.frames.equirect`). So each row of a shell is computed once, and the
exact geometry of two eyes lies in the shift at which they read it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import float32 as f32

from renderkiln.media.frames import equirect
from renderkiln.media.frames.equirect import NEAREST, RIGHT
from renderkiln.media.frames.kernel import kernel
from renderkiln.media.frames.noise import Texture, texture, wrapped
from renderkiln.media.frames.palette import Palette
from renderkiln.pipelines.visualizer.templates.flame.mood import Mood
from renderkiln.pipelines.visualizer.templates.flame.ring_fire import flame_heights, flame_row
from renderkiln.pipelines.visualizer.templates.flame.ring_row import (
    BLOCK,
    MARGIN,
    Light,
    close,
    lay_over,
    smooth_step,
)
from renderkiln.pipelines.visualizer.templates.flame.ring_shells import FOOT, GROUND, SHELLS
from renderkiln.pipelines.visualizer.templates.flame.ring_surroundings import (
    blur_around,
    calm_of,
    ground_detail_of,
    ground_distance,
    ground_light_of,
    horizon_glow,
    light_ground,
    sky_row,
)

GROUND_LIGHT = 0.09


class RingScene:
    """Geometry, textures and scratch rows of the ring for one size of field; one per thread."""

    def __init__(self, width: int, rows: int, palette: Palette, seed: int) -> None:
        latitude = equirect.latitudes(rows)
        reach = ground_distance(latitude)
        hits = [equirect.hit_cylinder(0.0, latitude, shell.radius, RIGHT) for shell in SHELLS]
        turns = [turn for turn, _ in hits]
        turns.append(equirect.hit_cylinder(0.0, latitude, np.maximum(reach, NEAREST), RIGHT)[0])
        heights = [(height - GROUND) / shell.stature for (_, height), shell in zip(hits, SHELLS, strict=True)]
        self._heights = np.array(heights, np.float32)
        self._shifts = (np.array(turns) * (width / (2 * np.pi))).astype(np.float32)
        if self._shifts.max() > MARGIN - 2:
            raise ValueError(f"a field of {width} columns is wider than the rows' margins allow")
        per_row = [calm_of(latitude), horizon_glow(latitude), ground_light_of(reach), ground_detail_of(reach)]
        self._per_row = np.array(per_row, np.float32)
        self._shells = np.array([shell.constants for shell in SHELLS], np.float32)
        self._body = texture(3 * seed + 1, octaves=4, cells=4, gain=0.5)
        self._strands = texture(3 * seed + 2, octaves=4, cells=5, gain=0.45)
        self._soft = texture(3 * seed + 3, octaves=2, cells=4)
        self._ramp = np.ascontiguousarray(palette.ramp.T)
        self._tints = np.array([palette.haze, palette.glow, palette.wisp], np.float32)
        whole = -(-width // BLOCK) * BLOCK
        self._layers = np.zeros((len(SHELLS) + 2, 4, whole + 2 * MARGIN + 1), np.float32)
        self._scratch = np.zeros((6, whole), np.float32)

    def paint(self, left: Light, right: Light, record: Any, seconds: float, intensity: float) -> None:
        """Fill the light of both eyes, each (3, rows, width), for one record of features."""
        phase = float(record["phase"])
        _paint(
            left,
            right,
            (self._layers, self._scratch),
            (self._heights, self._shifts, self._per_row),
            self._shells,
            np.array([shell.scrolls(phase, seconds) for shell in SHELLS], np.float32),
            (wrapped(0.003 * seconds), wrapped(-0.002 * seconds)),
            Mood.of(record, intensity),
            flame_heights(record, intensity),
            (self._body, self._strands, self._soft),
            (self._ramp, self._tints),
        )


@kernel
def _paint(
    left: Light, right: Light, buffers: tuple[Light, Light], geometry: tuple[Light, Light, Light],
    shells: Light, scrolls: Light, drift: tuple[float, float], mood: Mood, heights: Light,
    textures: tuple[Texture, Texture, Texture], colours: tuple[Light, Light],
) -> None:  # fmt: skip
    layers, scratch = buffers
    places, shifts, per_row = geometry
    body, lines, soft = textures
    ramp, tints = colours
    count = shells.shape[0]
    _, rows, width = left.shape
    sky, ground, near = layers[count], layers[count + 1], count - 1
    flame_row(
        layers[near], f32(0.12), f32(0), width, scratch, shells[near], scrolls[near], mood,
        heights, body, lines, soft, ramp, tints[2],
    )  # fmt: skip
    blur_around(layers[near], ground, width, width // 30, tints[1])
    close(ground[:3], width)
    for j in range(rows):
        calm, horizon, ground_light, detail = per_row[0, j], per_row[1, j], per_row[2, j], per_row[3, j]
        up = f32(1.5) * f32(j) / f32(rows)
        sky_row(sky, width, scratch, soft, up, drift, calm, horizon * f32(0.65 * mood.pulse), tints)
        for c in range(3):
            left[c, j] = sky[c, MARGIN : MARGIN + width]
            right[c, j] = sky[c, MARGIN : MARGIN + width]
        if ground_light > f32(0.002):
            for eye in range(2):
                light, side = (right, shifts[count, j]) if eye else (left, -shifts[count, j])
                light_ground(ground, side, ground_light * f32(GROUND_LIGHT), detail, light, j)
        for s in range(count):
            v = places[s, j]
            if v * shells[s, 6] > f32(FOOT - 0.2) and v < shells[s, 7]:
                air = smooth_step((shells[s, 7] - v) / shells[s, 7] * f32(1.6)) * calm
                flame_row(
                    layers[s], v, air, width, scratch, shells[s], scrolls[s], mood,
                    heights, body, lines, soft, ramp, tints[2],
                )  # fmt: skip
                close(layers[s], width)
                lay_over(layers[s], -shifts[s, j], left, j)
                lay_over(layers[s], shifts[s, j], right, j)
