"""From float planes at field resolution to the 8-bit planes of a frame, with dither."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from renderkiln.media.frames import dither
from renderkiln.media.frames.canvas import Canvas
from renderkiln.media.frames.expand import mix_rows, stretch
from renderkiln.media.frames.kernel import kernel

Plane = npt.NDArray[np.float32]
Codes = npt.NDArray[np.uint8]

_MASK = dither.MASK


def field_scale(canvas: Canvas) -> int:
    """How many frame pixels one field sample covers, each way: 1, 2 or 4.

    The look is made of soft light: half resolution shows it in full at 1080p for a quarter of the cost.
    """
    longest = max(canvas.width, canvas.height)
    if longest <= 800:
        return 1
    return 2 if longest <= 2600 else 4


@kernel
def enlarge(plane: Plane, scale: int, noise: Plane, wrap: bool, out: Codes) -> None:  # noqa: FBT001  # kernels are called by position
    """Bilinear enlargement by 1, 2 or 4, dithered to 8 bits. `wrap`: see `bloom.blur`."""
    coarse = np.empty(plane.shape[1] + 2, np.float32)
    fine = np.empty(plane.shape[1] * scale, np.float32)
    step = np.float32(1.0 / scale)
    for j in range(out.shape[0]):
        mix_rows(plane, (np.float32(j) + np.float32(0.5)) * step - np.float32(0.5), wrap, coarse)
        stretch(coarse, scale, fine)
        _quantise(fine, noise[j & _MASK], out[j])


@kernel
def halve(plane: Plane, noise: Plane, out: Codes) -> None:
    """Average 2 × 2 samples, dithered to 8 bits: full-resolution chroma onto its own plane."""
    height, width = out.shape
    row = np.empty(width, np.float32)
    for j in range(height):
        for i in range(width):
            upper = plane[2 * j, 2 * i] + plane[2 * j, 2 * i + 1]
            row[i] = (upper + plane[2 * j + 1, 2 * i] + plane[2 * j + 1, 2 * i + 1]) * np.float32(0.25)
        _quantise(row, noise[j & _MASK], out[j])


@kernel
def _quantise(row: Plane, noise: Plane, out: npt.NDArray[np.uint8]) -> None:
    for n in range(out.size):
        i = np.uint32(n)  # unsigned: an index that may be negative keeps the loop from being vectorised
        out[i] = np.uint8(np.int32(row[i] + noise[i & np.uint32(_MASK)]))
