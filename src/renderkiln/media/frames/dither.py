"""Blue noise against banding.

The pattern stands still from frame to frame: moving noise would flicker and would cost the encoder dear.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

SIDE = 64  # pixels; the pattern tiles the plane
MASK = SIDE - 1


@cache
def blue_noise(seed: int = 5) -> npt.NDArray[np.float32]:
    """Thresholds in 0 … 1, shape (SIDE, SIDE), read-only: `uint8(value + threshold)` rounds with dither.

    White noise, high-passed and made uniform by rank, a few times over, until its spectrum has no low
    frequencies left. Every threshold occurs once.
    """
    pattern = np.random.default_rng(seed).standard_normal((SIDE, SIDE))
    frequency = np.fft.fftfreq(SIDE)
    high_pass = 1 - np.exp(-18 * (frequency[:, None] ** 2 + frequency[None, :] ** 2))
    for _ in range(6):
        filtered = np.fft.ifft2(np.fft.fft2(pattern) * high_pass).real
        rank = filtered.ravel().argsort().argsort().reshape(SIDE, SIDE)
        pattern = (rank + 0.5) / SIDE**2 - 0.5
    thresholds = (pattern + 0.5).astype(np.float32)
    thresholds.flags.writeable = False
    return thresholds


@cache
def chroma_noise() -> npt.NDArray[np.float32]:
    """The same thresholds moved aside, so that the dither of chroma does not add up with that of luma."""
    moved = np.roll(blue_noise(), (17, 29), axis=(0, 1))
    moved.flags.writeable = False
    return moved
