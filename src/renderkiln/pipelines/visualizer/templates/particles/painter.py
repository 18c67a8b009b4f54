"""Draws the cloud and its core."""

from __future__ import annotations

import math

import numpy as np

from renderkiln.media.frames import palette
from renderkiln.media.frames.backdrop import Backdrop
from renderkiln.media.frames.canvas import Frame
from renderkiln.media.frames.equirect import see_point, to_pixel
from renderkiln.media.frames.exposure import Exposure, View, views
from renderkiln.media.frames.noise import texture, wrapped
from renderkiln.pipelines.visualizer.template import Film
from renderkiln.pipelines.visualizer.templates.particles.core import draw_core
from renderkiln.pipelines.visualizer.templates.particles.sprites import (
    CORE_METRES,
    METRES,
    draw_around,
    draw_flat,
)
from renderkiln.pipelines.visualizer.templates.particles.swarm import Sparks, Swarm


class ParticlesPainter:
    """Flat particles. One per thread."""

    def __init__(self, film: Film) -> None:
        self._film = film
        params = film.params
        colours = palette.named(params.palette)
        self._exposure = Exposure(film.canvas)
        self._backdrop = Backdrop(self._exposure.light, colours, seed=film.seed, around=self._exposure.around)
        self._swarm = Swarm(film.features, params.count, params.swirl, params.intensity, film.seed)
        self._ramp = colours.ramp
        self._glow = np.array(colours.glow, np.float32)
        self._plasma = texture(seed=3, octaves=4, cells=4)

    def draw(self, index: int, frame: Frame) -> None:
        """Write frame `index` into every pixel of `frame`."""
        sparks = self._swarm.at(index)
        for view in views(self._film.canvas):
            self._draw_backdrop(index)
            self._draw_sparks(index, sparks, view)
            self._draw_core(index, view)
            self._exposure.develop(frame, view, glow=0.7)

    def _draw_backdrop(self, index: int) -> None:
        record = self._film.features.records[index]
        seconds = index / float(self._film.canvas.fps)
        low, onset = float(record["low"]), float(record["onset"])
        glow, spread = 0.010 + 0.034 * low + 0.020 * onset, 0.34 + 0.08 * low
        if self._exposure.around:
            spread *= 0.5
        self._backdrop.paint(seconds, glow=glow, y=0.5, spread=spread)

    def _draw_sparks(self, index: int, sparks: Sparks, view: View) -> None:
        record, params = self._film.features.records[index], self._film.params
        gain = 0.65 + 0.55 * float(record["rms"]) + 0.35 * float(record["onset"]) * params.intensity
        light = self._exposure.light
        if self._exposure.around:
            draw_around(light, sparks, self._ramp, params.aperture, gain, view.eye)
        else:
            draw_flat(light, sparks, self._ramp, params.aperture, gain)

    def _draw_core(self, index: int, view: View) -> None:
        record, params = self._film.features.records[index], self._film.params
        low, onset, rms = float(record["low"]), float(record["onset"]), float(record["rms"])
        _, height, width = self._exposure.light.shape
        x, unit = 0.5 * width, 0.5 * height
        if self._exposure.around:
            x, _ = to_pixel(*see_point(0.0, 0.0, CORE_METRES, view.eye), width, height)
            unit = height / math.pi * METRES / CORE_METRES
        breath = 0.105 + (0.140 * low + 0.040 * onset) * params.intensity
        draw_core(
            self._exposure.light,
            x,
            0.5 * height,
            breath * unit,
            0.80 + 0.20 * rms + 0.18 * onset,
            self._ramp,
            self._glow,
            self._plasma,
            wrapped(0.03 * float(record["phase"])),
        )
