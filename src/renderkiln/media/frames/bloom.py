"""Bloom: the glow around bright things, as a blurred copy of the light at a quarter of its resolution."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from renderkiln.media.frames.kernel import kernel

Light = npt.NDArray[np.float32]

SHRINK = 4


def glow_shape(height: int, width: int) -> tuple[int, int, int]:
    """Shape of the glow that belongs to light of shape (3, height, width)."""
    return 3, -(-height // SHRINK), -(-width // SHRINK)


@kernel
def shrink(light: Light, glow: Light) -> None:
    """Average 4 × 4 blocks of `light` (3, h, w) into `glow`, whose shape is `glow_shape(h, w)`."""
    height, width = light.shape[1:]
    whole = width // 4
    column = np.empty(width, np.float32)
    for c in range(3):
        for j in range(glow.shape[1]):
            a, b = 4 * j, min(4 * j + 1, height - 1)
            d, e = min(4 * j + 2, height - 1), min(4 * j + 3, height - 1)
            for i in range(width):
                column[i] = light[c, a, i] + light[c, b, i] + light[c, d, i] + light[c, e, i]
            for i in range(whole):
                four = column[4 * i] + column[4 * i + 1] + column[4 * i + 2] + column[4 * i + 3]
                glow[c, j, i] = four * np.float32(1 / 16)
            if whole < glow.shape[2]:
                rest = np.float32(0)
                for i in range(4 * whole, width):
                    rest += column[i]
                glow[c, j, whole] = rest * np.float32(0.25 / (width - 4 * whole))


@kernel
def blur(glow: Light, spare: Light, radius: int, wrap: bool) -> None:  # noqa: FBT001  # kernels are called by position
    """Blur `glow` (3, h, w) in place by two box filters each way, close to a Gaussian; cost without radius.

    `spare` has the same shape. With `wrap` the left edge continues at the right one (a full circle).
    """
    radius_x = min(radius, glow.shape[2] - 1)
    radius_y = min(radius, glow.shape[1] - 1)
    _rows(glow, spare, radius_x, wrap)
    _rows(spare, glow, radius_x, wrap)
    _columns(glow, spare, radius_y)
    _columns(spare, glow, radius_y)


@kernel
def _rows(source: Light, target: Light, radius: int, wrap: bool) -> None:  # noqa: FBT001  # kernels are called by position
    _, height, width = source.shape
    padded = np.empty(width + 2 * radius + 1, np.float32)
    scale = np.float32(1.0 / (2 * radius + 1))
    for c in range(3):
        for j in range(height):
            for i in range(radius):
                padded[i] = source[c, j, width - radius + i] if wrap else source[c, j, 0]
                padded[radius + width + i] = source[c, j, i] if wrap else source[c, j, width - 1]
            padded[radius + width + radius] = padded[radius + width + radius - 1]
            for i in range(width):
                padded[radius + i] = source[c, j, i]
            total = np.float32(0)
            for i in range(2 * radius + 1):
                total += padded[i]
            for i in range(width):
                target[c, j, i] = total * scale
                total += padded[i + 2 * radius + 1] - padded[i]


@kernel
def _columns(source: Light, target: Light, radius: int) -> None:
    _, height, width = source.shape
    total = np.empty(width, np.float32)
    scale = np.float32(1.0 / (2 * radius + 1))
    for c in range(3):
        for i in range(width):
            total[i] = 0
        for j in range(-radius, radius + 1):
            near = min(max(j, 0), height - 1)
            for i in range(width):
                total[i] += source[c, near, i]
        for j in range(height):
            enters = min(j + radius + 1, height - 1)
            leaves = max(j - radius, 0)
            for i in range(width):
                target[c, j, i] = total[i] * scale
                total[i] += source[c, enters, i] - source[c, leaves, i]
