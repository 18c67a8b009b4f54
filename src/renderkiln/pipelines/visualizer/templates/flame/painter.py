"""Draws the flat film."""

from __future__ import annotations

import math

import numpy as np

from renderkiln.media.frames import bloom, palette
from renderkiln.media.frames.canvas import Frame
from renderkiln.media.frames.exposure import Exposure, views
from renderkiln.media.frames.noise import texture
from renderkiln.pipelines.visualizer.template import Film
from renderkiln.pipelines.visualizer.templates.flame.dusk import paint_dusk, spread
from renderkiln.pipelines.visualizer.templates.flame.fire import GRID, ROWS, paint_fire, sway_shape
from renderkiln.pipelines.visualizer.templates.flame.mood import Flow, Mood, heard, heights
from renderkiln.pipelines.visualizer.templates.flame.sparks import chroma_range, draw_sparks

_BLOOM = 0.55


class FlatPainter:
    """One per thread; its buffers are made once."""

    def __init__(self, film: Film) -> None:
        canvas, colours = film.canvas, palette.named(film.params.palette)
        self._film = film
        unit = math.sqrt(canvas.width * canvas.height * 9 / 16)  # the height, if the picture is 16:9
        self._span = (canvas.width / unit, canvas.height / unit)  # half the width, and the height
        self._exposure = Exposure(canvas)
        (self._view,) = views(canvas)
        height, width = self._exposure.light.shape[1:]
        self._coarse = np.empty(bloom.glow_shape(height, width), np.float32)
        self._sway = np.empty(sway_shape(height, width), np.float32)
        self._rows = np.zeros((ROWS, width + GRID), np.float32)
        self._colours = (np.ascontiguousarray(colours.ramp.T), np.array(colours.wisp, np.float32))
        self._tints = np.array([colours.haze, colours.glow, colours.wisp], np.float32)
        self._chroma = chroma_range(colours)
        self._tiles = (
            texture(3 * film.seed + 1, octaves=4, cells=4, gain=0.5),
            texture(3 * film.seed + 2, octaves=3, cells=5, gain=0.45),
            texture(3 * film.seed + 3, octaves=2, cells=4),
        )

    def draw(self, index: int, frame: Frame) -> None:
        """Write frame `index` into every pixel of `frame`."""
        film, light = self._film, self._exposure.light
        record = heard(film.features, index)
        mood = Mood.of(record, film.params.intensity)
        flow = Flow.at(float(record["phase"]), float(index / film.canvas.fps))
        height = heights(record, film.params.intensity, light.shape[2], self._span[1])
        paint_dusk(self._coarse, self._span, mood, flow, height, self._tiles[2], self._tints)
        spread(self._coarse, light)
        paint_fire(
            light, self._span, mood, flow, height, self._colours, self._tiles, self._sway, self._rows,
        )  # fmt: skip
        self._exposure.develop(frame, self._view, glow=_BLOOM)
        draw_sparks(
            frame, film.features, index, self._span, self._chroma, self._tiles[2], film.seed,
            film.params.intensity,
        )  # fmt: skip
