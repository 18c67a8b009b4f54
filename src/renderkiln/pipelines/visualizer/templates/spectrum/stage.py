"""Where the skyline stands: across a flat picture, or as a ring around the viewer of a 360° one."""

from __future__ import annotations

import math

import numpy as np

from renderkiln.media.frames.equirect import eye_offset, latitudes
from renderkiln.pipelines.visualizer.templates.spectrum.skyline import Stage

HORIZON = 0.66  # of the picture's height, from the top
REACH = 0.50  # of the height: the tallest bar
SIDES = 0.065  # of the width, left empty on either side
FILL, RING_FILL = 0.60, 0.50  # of the pitch: the width of a bar

RING = 3.2  # metres from the viewer to the bars
FLOOR = -1.25  # metres below the eyes
TALLEST = 2.3  # metres


def flat_stage(height: int, width: int, count: int) -> Stage:
    """Bars across a field of this size."""
    pitch = width * (1 - 2 * SIDES) / count
    rows = height * HORIZON - (np.arange(height, dtype=np.float32) + 0.5)
    return Stage(
        left=width * SIDES,
        pitch=pitch,
        radius=max(pitch * FILL / 2, 0.5),
        reach=height * REACH,
        squat=1.22,
        heights=rows.astype(np.float32),
        shifts=np.zeros(height, np.float32),
        around=False,
    )


def ring_stage(height: int, width: int, count: int, eye: int) -> Stage:
    """Bars on a cylinder around the viewer, as an eye sees them; the middle of the bars is ahead.

    A flat mirror shows what stands on it upside down below it, on the same cylinder: no other geometry.
    """
    per_metre = width / (2 * math.pi * RING)
    latitude = latitudes(height)
    offset = np.asarray(eye_offset(latitude, eye))
    seen = np.tan(latitude) * np.sqrt(RING**2 - offset**2)
    pitch = width / count
    return Stage(
        left=0.0,
        pitch=pitch,
        radius=max(pitch * RING_FILL / 2, 0.5),
        reach=TALLEST * per_metre,
        squat=1.0,
        heights=((seen - FLOOR) * per_metre).clip(-1e6, 1e6).astype(np.float32),
        shifts=(-np.arcsin(offset / RING) * RING * per_metre).astype(np.float32),
        around=True,
    )
