"""Where the wave is shown: across a flat picture, or twice around the viewer of a 360° one."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import numpy.typing as npt

from renderkiln.media.frames.equirect import eye_offset
from renderkiln.pipelines.visualizer.templates.waveform.beam import stretch_trace

Row = npt.NDArray[np.float32]

MIDDLE = 0.48  # of the height: where silence lies
SWING = 0.30  # of the height: a full wave to either side
GROWTH = 0.075  # how much larger a wave is drawn per echo it is old

RING, RING_STEP = 2.0, 0.22  # metres from the viewer to the line, and from one echo to the next
RING_SWING = 0.34  # of the distance: a full wave to either side


class Screen(Protocol):
    """One view of the waves."""

    ends: Row  # how bright the line is in every column

    def place(self, trace: Row, age: int) -> Row:
        """Rows of the line at every column edge, shape (width + 1,); `age` counts echoes."""


class FlatScreen:
    """Across the picture, at rest at both edges."""

    def __init__(self, height: int, width: int) -> None:
        self._height, self._width = height, width
        x = 2 * (np.arange(width) + 0.5) / width - 1
        self.ends = (1 - 0.92 * x**4).astype(np.float32)

    def place(self, trace: Row, age: int) -> Row:
        """See `Screen`."""
        line = np.empty(self._width + 1, np.float32)
        stretch_trace(trace, 1.0, 0.0, line)
        return np.asarray(self._height * (MIDDLE - SWING * (1 + GROWTH * age) * line), np.float32)


class RingScreen:
    """Around the viewer: each echo on a cylinder of its own, farther away, as one eye sees it."""

    def __init__(self, height: int, width: int, eye: int) -> None:
        self._height, self._width = height, width
        self._offset = float(eye_offset(0.0, eye))  # the line stays far from the poles
        x = np.sin(2 * math.pi * (np.arange(width) + 0.5) / width) ** 2  # at rest on the left and right
        self.ends = (1 - 0.80 * x**4).astype(np.float32)

    def place(self, trace: Row, age: int) -> Row:
        """See `Screen`."""
        radius = RING + RING_STEP * age
        line = np.empty(self._width + 1, np.float32)
        stretch_trace(trace, 2.0, math.asin(self._offset / radius) / (2 * math.pi), line)
        swing = radius * RING_SWING * (1 + GROWTH * age)
        latitude = np.arctan(swing * line / math.sqrt(radius**2 - self._offset**2))
        return np.asarray((0.5 - latitude / math.pi) * self._height, np.float32)
