"""Takes away what lies below a voice: thumps of plosives, rumble, an offset."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

kernel = njit(cache=True, nogil=True, fastmath=True)

Mono = npt.NDArray[np.float32]

VOICE = 70.0  # Hz: below the lowest speaking voices


def highpass(samples: Mono, rate: int, hz: float = VOICE) -> Mono:
    """`samples`, float32 of shape (n,), without what is below `hz`: 12 dB an octave, −3 dB at `hz`.

    A second-order Butterworth by the bilinear transform (R. Bristow-Johnson, Audio EQ Cookbook), from rest.
    """
    angle = 2 * math.pi * hz / rate
    alpha = math.sin(angle) / math.sqrt(2)
    norm = 1 + alpha
    gain = (1 + math.cos(angle)) / 2 / norm
    filtered = np.empty_like(samples)
    _run(samples, gain, -2 * math.cos(angle) / norm, (1 - alpha) / norm, filtered)
    return filtered


@kernel
def _run(x: Mono, gain: float, a1: float, a2: float, out: Mono) -> None:
    """The zeros are both at 0 Hz: 1 −2 1."""
    s0 = s1 = 0.0
    for i in range(x.shape[0]):
        v = np.float64(x[i]) * gain
        y = v + s0
        s0 = s1 - 2.0 * v - a1 * y
        s1 = v - a2 * y
        out[i] = y
