"""The flame in 360° stereo: a ring of fire around the viewer, with embers in the air and stars far behind."""

from __future__ import annotations

import numpy as np

from renderkiln.media.frames import bloom, dither, equirect, palette, tone
from renderkiln.media.frames.canvas import Frame
from renderkiln.media.frames.upsample import enlarge, field_scale, halve
from renderkiln.pipelines.visualizer.template import Film
from renderkiln.pipelines.visualizer.templates.flame.mood import heard
from renderkiln.pipelines.visualizer.templates.flame.ring_scene import RingScene
from renderkiln.pipelines.visualizer.templates.flame.ring_sparks import RingSparks

GLOW = 0.5


class RingPainter:
    """Draws the `stereo360` flame. One per thread."""

    def __init__(self, film: Film) -> None:
        canvas = film.canvas
        self._film = film
        self._scale = max(1, field_scale(canvas) // 2)
        width, rows = canvas.width // self._scale, canvas.height // 2 // self._scale
        colours = palette.named(film.params.palette)
        self._scene = RingScene(width, rows, colours, film.seed)
        self._sparks = RingSparks(canvas, film.features, colours, film.seed)
        self._light = np.zeros((2, 3, rows, width), np.float32)
        self._glow = np.empty(bloom.glow_shape(rows, width), np.float32)
        self._spare = np.empty_like(self._glow)
        self._planes = np.empty((3, rows, width), np.float32)

    def draw(self, index: int, frame: Frame) -> None:
        """Write frame `index` into every pixel of `frame`."""
        film = self._film
        left, right = self._light
        record = heard(film.features, index)
        seconds = float(index / film.canvas.fps)
        self._scene.paint(left, right, record, seconds, film.params.intensity)
        for eye, light in zip(equirect.EYES, self._light, strict=True):
            self._develop(light, eye, frame)
        self._sparks.draw(index, frame, film.params.intensity)

    def _develop(self, light: bloom.Light, eye: int, frame: Frame) -> None:
        """One eye's half of the frame; its glow goes around the seam and stays within that eye."""
        bloom.shrink(light, self._glow)
        bloom.blur(self._glow, self._spare, max(2, self._glow.shape[1] // 40), wrap=True)
        y, u, v = self._planes
        tone.develop(light, self._glow, GLOW, 0.0, wrap=True, y=y, u=u, v=v)
        rows = equirect.eye_rows(self._film.canvas, eye)
        half = slice(rows.start // 2, rows.stop // 2)
        enlarge(y, self._scale, dither.blue_noise(), wrap=True, out=frame.y[rows])
        for plane, codes in ((u, frame.u[half]), (v, frame.v[half])):
            if self._scale == 1:
                halve(plane, dither.chroma_noise(), codes)
            else:
                enlarge(plane, self._scale // 2, dither.chroma_noise(), wrap=True, out=codes)
