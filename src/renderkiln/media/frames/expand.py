"""Enlarging one row of samples: the step that glow and planes share on their way to a finer grid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from renderkiln.media.frames.kernel import kernel

Row = npt.NDArray[np.float32]
Plane = npt.NDArray[np.float32]


@kernel
def mix_rows(plane: Plane, y: np.float32, wrap: bool, out: Row) -> None:  # noqa: FBT001  # kernels are called by position
    """Interpolate the plane at height `y` (rows, 0 is the first row's centre) into `out[1:-1]`.

    `out` has one sample more on each side: a repeat of the edge, or with `wrap` the opposite edge.
    """
    height, width = plane.shape
    y = min(max(y, np.float32(0)), np.float32(height - 1))
    top = int(y)
    bottom = min(top + 1, height - 1)
    fraction = np.float32(y - np.float32(top))
    for i in range(width):
        out[i + 1] = plane[top, i] + (plane[bottom, i] - plane[top, i]) * fraction
    out[0] = out[width] if wrap else out[1]
    out[width + 1] = out[1] if wrap else out[width]


@kernel
def stretch(row: Row, scale: int, out: Row) -> None:
    """Linear interpolation of a padded row (see `mix_rows`) onto a grid `scale` times finer."""
    width = row.size - 2
    if scale == 1:
        for i in range(width):
            out[i] = row[i + 1]
    elif scale == 2:
        for i in range(width):
            here = row[i + 1] * np.float32(0.75)
            out[2 * i] = here + row[i] * np.float32(0.25)
            out[2 * i + 1] = here + row[i + 2] * np.float32(0.25)
    elif scale == 4:
        for i in range(width):
            left, here, right = row[i], row[i + 1], row[i + 2]
            out[4 * i] = here * np.float32(0.625) + left * np.float32(0.375)
            out[4 * i + 1] = here * np.float32(0.875) + left * np.float32(0.125)
            out[4 * i + 2] = here * np.float32(0.875) + right * np.float32(0.125)
            out[4 * i + 3] = here * np.float32(0.625) + right * np.float32(0.375)
