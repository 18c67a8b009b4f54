"""Draws the skyline: one frame from the levels of its bars."""

from __future__ import annotations

import numpy as np

from renderkiln.media.frames import palette
from renderkiln.media.frames.backdrop import Backdrop
from renderkiln.media.frames.canvas import Frame
from renderkiln.media.frames.exposure import Exposure, View, views
from renderkiln.media.frames.noise import texture, wrapped
from renderkiln.pipelines.visualizer.template import Film
from renderkiln.pipelines.visualizer.templates.spectrum.levels import Bars
from renderkiln.pipelines.visualizer.templates.spectrum.skyline import Stage, reflect, shoreline, skyline
from renderkiln.pipelines.visualizer.templates.spectrum.stage import HORIZON, flat_stage, ring_stage


class SpectrumPainter:
    """Flat or around the viewer. One per thread."""

    def __init__(self, film: Film) -> None:
        self._film = film
        colours = palette.named(film.params.palette)
        self._exposure = Exposure(film.canvas)
        around = self._exposure.around
        self._backdrop = Backdrop(self._exposure.light, colours, seed=film.seed, around=around)
        count = film.params.bars * (2 if around else 1)  # a ring is longer than a screen
        self._bars = Bars(film.features, count, film.params.intensity)
        self._ramp = colours.ramp
        self._glow = np.array(colours.glow, np.float32)
        self._ripples = texture(seed=7, octaves=2, cells=4)
        _, height, width = self._exposure.light.shape
        self._stages: dict[View, Stage] = {
            view: ring_stage(height, width, count, view.eye) if around else flat_stage(height, width, count)
            for view in views(film.canvas)
        }

    def draw(self, index: int, frame: Frame) -> None:
        """Write frame `index` into every pixel of `frame`."""
        levels = self._bars.levels(index)
        peaks = self._bars.peaks(index) if self._film.params.peaks else levels
        for view, stage in self._stages.items():
            self._light_up(index, stage, levels, peaks)
            self._exposure.develop(frame, view, glow=0.62)

    def _light_up(self, index: int, stage: Stage, levels: np.ndarray, peaks: np.ndarray) -> None:
        record = self._film.features.records[index]
        seconds = index / float(self._film.canvas.fps)
        low, onset, rms = float(record["low"]), float(record["onset"]), float(record["rms"])
        lift = 0.020 + 0.055 * low + 0.030 * onset
        if stage.around:
            self._backdrop.paint(seconds, glow=0.45 * lift, y=0.5, spread=0.22, wide=0)
        else:
            self._backdrop.paint(seconds, glow=lift, y=HORIZON - 0.06, spread=0.42)
        light, ramp = self._exposure.light, self._ramp
        gain = 0.85 + 0.25 * rms + 0.25 * onset
        mirror = 0.62 * gain * self._film.params.reflection
        reflect(light, levels, stage, ramp, self._ripples, wrapped(0.05 * seconds), mirror)
        skyline(light, levels, peaks, stage, ramp, gain)
        shoreline(light, levels, stage, self._glow, 0.20 * gain)
