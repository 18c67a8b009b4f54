"""Draws the line, its trail and the progress hint."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from renderkiln.media.frames import palette
from renderkiln.media.frames.backdrop import Backdrop
from renderkiln.media.frames.canvas import Frame
from renderkiln.media.frames.exposure import Exposure, View, views
from renderkiln.pipelines.visualizer.template import Film
from renderkiln.pipelines.visualizer.templates.waveform.beam import beam, hairline, veil
from renderkiln.pipelines.visualizer.templates.waveform.screen import MIDDLE, FlatScreen, RingScreen, Screen
from renderkiln.pipelines.visualizer.templates.waveform.traces import Trace, Traces

TRAIL_SECONDS = 0.055  # between one echo and the next
THICKNESS = 1 / 470  # of the height
BOTTOM = 0.975  # of the height: the progress line


class WaveformPainter:
    """Flat or around the viewer. One per thread."""

    def __init__(self, film: Film) -> None:
        self._film = film
        colours = palette.named(film.params.palette)
        self._exposure = Exposure(film.canvas)
        self._backdrop = Backdrop(self._exposure.light, colours, seed=film.seed, around=self._exposure.around)
        self._traces = Traces(film.features, film.params.intensity)
        self._ramp = colours.ramp
        self._wisp = np.array(colours.wisp, np.float32)
        _, height, width = self._exposure.light.shape
        seen = height / 2 if self._exposure.around else height
        self._thickness = max(seen * THICKNESS * film.params.thickness, 0.55)
        self._screens: dict[View, Screen] = {
            view: RingScreen(height, width, view.eye) if self._exposure.around else FlatScreen(height, width)
            for view in views(film.canvas)
        }

    def draw(self, index: int, frame: Frame) -> None:
        """Write frame `index` into every pixel of `frame`."""
        traces = self._recent(index)
        for view, screen in self._screens.items():
            self._draw_backdrop(index)
            self._draw_waves(index, traces, screen)
            if self._film.params.progress and not self._exposure.around:
                self._draw_progress(index)
            self._exposure.develop(frame, view, glow=1.0)

    def _recent(self, index: int) -> list[Trace]:
        """The frame's wave and its echoes, smoother with age."""
        step = max(1, round(TRAIL_SECONDS * float(self._film.canvas.fps)))
        echoes = min(self._film.params.echoes, index // step)
        return [self._traces.at(index - age * step, 1.2 + 0.5 * age) for age in range(echoes + 1)]

    def _draw_backdrop(self, index: int) -> None:
        record = self._film.features.records[index]
        seconds = index / float(self._film.canvas.fps)
        low, onset = float(record["low"]), float(record["onset"])
        glow, spread = 0.012 + 0.036 * low + 0.014 * onset, 0.30 + 0.10 * low
        if self._exposure.around:
            self._backdrop.paint(seconds, glow=0.6 * glow, y=0.5, spread=0.5 * spread, wide=0)
        else:
            self._backdrop.paint(seconds, glow=glow, y=MIDDLE, spread=spread)

    def _draw_waves(self, index: int, traces: list[Trace], screen: Screen) -> None:
        """Oldest first: the past lies behind the present."""
        record = self._film.features.records[index]
        onset, rms = float(record["onset"]), float(record["rms"])
        light, ends = self._exposure.light, screen.ends
        lines = [screen.place(trace, age) for age, trace in enumerate(traces)]
        for age in range(len(lines) - 1, 0, -1):
            past = age / (self._film.params.echoes + 1)
            faded = np.float32((1 - past) ** 1.6)
            colour = self._colour(0.60 - 0.32 * past)
            mist = (colour + self._wisp * np.float32(0.12)) * np.float32(0.13)
            veil(light, lines[age], lines[age - 1], ends, mist * faded)
            thickness = self._thickness * (0.8 + 0.05 * age)
            beam(light, lines[age], ends, colour * np.float32(0.6) * faded, thickness)
        hot = self._colour(min(0.74 + 0.10 * rms + 0.08 * onset, 0.97)) * np.float32(1.1 + 0.3 * onset)
        beam(light, lines[0], ends, hot, self._thickness * (1 + 0.25 * onset))

    def _colour(self, place: float) -> npt.NDArray[np.float32]:
        return self._ramp[int(place * (len(self._ramp) - 1))]

    def _draw_progress(self, index: int) -> None:
        _, height, width = self._exposure.light.shape
        played = (index + 1) / len(self._film.features)
        hairline(
            self._exposure.light,
            BOTTOM * height,
            0.05 * width,
            0.90 * width,
            played,
            max(height / 700, 0.5),
            self._wisp,
            self._colour(0.8),
        )
