"""From the light of a scene to a finished frame: bloom, tone, enlargement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from renderkiln.media.frames import bloom, dither, tone
from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.media.frames.equirect import EYES, eye_rows
from renderkiln.media.frames.upsample import enlarge, field_scale, halve

# The bloom is a near and a far glow: one Gaussian alone ends in a visible rim.
NEAR, FAR = 1 / 104, 1 / 30  # radius of the box filters, of the height of what is seen
FAR_SHARE = np.float32(0.5)


@dataclass(frozen=True)
class View:
    """One picture of a frame: all of a flat one (eye 0), or what one of `equirect.EYES` sees."""

    eye: int
    top: int  # its rows in the frame
    bottom: int


def views(canvas: Canvas) -> tuple[View, ...]:
    """The pictures that make up a frame of this canvas, from top to bottom."""
    if canvas.projection == "flat":
        return (View(0, 0, canvas.height),)
    return tuple(View(eye, eye_rows(canvas, eye).start, eye_rows(canvas, eye).stop) for eye in EYES)


class Exposure:
    """Owns the buffers of one view; its views are drawn one after the other; one per thread.

    Draw linear light into `light`, float32 of shape (3, rows / scale, width / scale), then `develop`.
    """

    def __init__(self, canvas: Canvas) -> None:
        self.scale = field_scale(canvas)
        self.around = canvas.projection == "stereo360"  # the left edge continues at the right one
        view = views(canvas)[0]
        height, width = (view.bottom - view.top) // self.scale, canvas.width // self.scale
        self.light = np.zeros((3, height, width), np.float32)
        self._near = np.empty(bloom.glow_shape(height, width), np.float32)
        self._far, self._spare = np.empty_like(self._near), np.empty_like(self._near)
        self._y, self._u, self._v = (np.empty((height, width), np.float32) for _ in range(3))
        seen = height / 2 if self.around else height  # what a viewer sees at a time
        self._near_radius = max(1, round(NEAR * seen))
        self._far_radius = max(2, round(FAR * seen))

    def develop(self, frame: Frame, view: View, *, glow: float) -> None:
        """Write every pixel of the view from `light`; `glow` is the strength of the bloom."""
        bloom.shrink(self.light, self._near)
        bloom.blur(self._near, self._spare, self._near_radius, self.around)
        self._far[:] = self._near
        bloom.blur(self._far, self._spare, self._far_radius, self.around)
        self._near *= 1 - FAR_SHARE
        self._near += self._far * FAR_SHARE
        vignette = 0.0 if self.around else 1.0
        tone.develop(self.light, self._near, glow, vignette, self.around, self._y, self._u, self._v)
        rows, half = slice(view.top, view.bottom), slice(view.top // 2, view.bottom // 2)
        enlarge(self._y, self.scale, dither.blue_noise(), self.around, frame.y[rows])
        for plane, codes in ((self._u, frame.u[half]), (self._v, frame.v[half])):
            if self.scale == 1:
                halve(plane, dither.chroma_noise(), codes)
            else:
                enlarge(plane, self.scale // 2, dither.chroma_noise(), self.around, codes)
