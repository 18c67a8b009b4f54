"""The dark behind the light: drifting haze and one wide, soft glow."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from renderkiln.media.frames.bloom import SHRINK, Light, glow_shape
from renderkiln.media.frames.expand import mix_rows, stretch
from renderkiln.media.frames.kernel import kernel
from renderkiln.media.frames.noise import Texture, lookup, texture, wrapped
from renderkiln.media.frames.palette import Palette


class _Place(NamedTuple):
    drift_x: float  # of the haze, in tiles
    drift_y: float
    x: float  # of the glow, in fractions of the picture
    y: float
    narrow: float  # 1 / its size², in picture heights
    flat: float  # 1 / (width / height)²
    around: bool


class Backdrop:
    """Paints over all of a light buffer; owns its scratch buffers; one per thread."""

    def __init__(self, light: Light, palette: Palette, *, seed: int, around: bool) -> None:
        """Another `seed` shows another haze. `around` makes it the inside of a sphere, seamless and calm."""
        _, height, width = light.shape
        self._light, self._around = light, around
        self._coarse = np.empty(glow_shape(height, width), np.float32)
        self._start_x, self._start_y = np.random.default_rng(seed).random(2)
        self._tile = texture(seed=11, octaves=4, cells=3)
        self._haze = np.array(palette.haze, np.float32)
        self._glow = np.array(palette.glow, np.float32)

    def paint(
        self, seconds: float, *, glow: float, y: float, spread: float, x: float = 0.5, wide: float = 1.35
    ) -> None:
        """Fill the light buffer. The glow lies at (x, y), in fractions of the picture.

        `spread` is its size in picture heights, `wide` how many times wider than high it is; 0 lays it all
        along the horizontal.
        """
        _haze_and_glow(
            self._coarse,
            self._tile,
            self._haze,
            self._glow * np.float32(glow),
            _Place(
                wrapped(self._start_x + 0.011 * seconds),
                wrapped(self._start_y - 0.017 * seconds),
                x,
                y,
                1 / spread**2,
                1 / wide**2 if wide else 0.0,
                self._around,
            ),
        )
        _enlarge(self._coarse, self._light, wrap=self._around)


@kernel
def _haze_and_glow(
    out: Light,
    tile: Texture,
    haze: Light,
    glow: Light,
    place: _Place,
) -> None:
    """The colours at a quarter of the resolution: nothing here is finer than that."""
    _, height, width = out.shape
    step = np.float32(1.0 / height)
    centre_x = np.float32(place.x) * np.float32(width) * step
    centre_y = np.float32(place.y)
    narrow, flat = np.float32(place.narrow), np.float32(place.flat)
    drift_x, drift_y = np.float32(place.drift_x), np.float32(place.drift_y)
    # A circle is two heights of an equirectangular picture: exactly one tile around.
    tiles = np.float32(0.5) if place.around else np.float32(0.31)
    for j in range(height):
        y = (np.float32(j) + np.float32(0.5)) * step
        pole = abs(np.float32(2) * y - np.float32(1))
        steady = np.float32(1)
        if place.around:
            steady = min(max((np.float32(0.92) - pole) * np.float32(2.8), np.float32(0)), np.float32(1))
        for i in range(width):
            x = (np.float32(i) + np.float32(0.5)) * step
            noise = lookup(tile, x * tiles + drift_x, y * tiles * np.float32(0.9) + drift_y)
            noise = np.float32(0.5) + (noise - np.float32(0.5)) * steady
            thickness = np.float32(0.35) + np.float32(1.5) * noise * noise
            distance = (x - centre_x) ** 2 * flat + (y - centre_y) ** 2
            near = np.float32(math.exp(-distance * narrow)) * (np.float32(0.7) + np.float32(0.6) * noise)
            for c in range(3):
                out[c, j, i] = haze[c] * thickness + glow[c] * near


@kernel
def _enlarge(coarse: Light, light: Light, *, wrap: bool) -> None:
    _, height, width = light.shape
    row = np.empty(coarse.shape[2] + 2, np.float32)
    fine = np.empty(coarse.shape[2] * SHRINK, np.float32)
    for c in range(3):
        for j in range(height):
            at = (np.float32(j) + np.float32(0.5)) * np.float32(1 / SHRINK) - np.float32(0.5)
            mix_rows(coarse[c], at, wrap, row)
            stretch(row, SHRINK, fine)
            light[c, j, :] = fine[:width]
