"""Float samples as whole numbers, dithered where the steps would be heard."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from renderkiln.media.audio.stereo import Block

kernel = njit(cache=True, nogil=True, fastmath=True)

Int16 = npt.NDArray[np.int16]
Int32 = npt.NDArray[np.int32]


def to_int16(block: Block, start: int) -> Int16:
    """Interleaved 16 bit, shape (n, 2), of a block whose first sample is number `start` of its track.

    Dithered by a triangular density of ±1 step, which leaves an error independent of the signal (Lipshitz,
    Wannamaker, Vanderkooy 1992). The noise is a hash of the sample's number: the same track gives the same
    bytes however it is cut into blocks.
    """
    out = np.empty((block.shape[1], 2), np.int16)
    for channel in range(2):
        _dithered(block[channel], np.uint32(2 * start + channel & 0xFFFFFFFF), out[:, channel])
    return out


def to_int24(block: Block) -> Int32:
    """Interleaved 24 bit in the upper bits of 32, shape (n, 2). Without dither: a step is at −138 dBFS."""
    out = np.empty((block.shape[1], 2), np.int32)
    for channel in range(2):
        _rounded(block[channel], out[:, channel])
    return out


@kernel
def _dithered(samples: Block, seed: np.uint32, out: Int16) -> None:
    for i in range(samples.shape[0]):
        h = np.uint32(seed + np.uint32(2) * np.uint32(i))  # the mixing of C. Wellons's lowbias32
        h = np.uint32((h ^ (h >> np.uint32(16))) * np.uint32(0x7FEB352D))
        h = np.uint32((h ^ (h >> np.uint32(15))) * np.uint32(0x846CA68B))
        h = np.uint32(h ^ (h >> np.uint32(16)))
        noise = np.float32(np.int32(h & np.uint32(0xFFFF)) - np.int32(h >> np.uint32(16)))
        value = samples[i] * np.float32(32768.0) + noise * np.float32(1 / 65536)
        out[i] = np.int16(min(np.float32(32767.0), max(np.float32(-32768.0), np.rint(value))))


@kernel
def _rounded(samples: Block, out: Int32) -> None:
    for i in range(samples.shape[0]):
        value = np.rint(samples[i] * np.float32(8388608.0))
        out[i] = np.int32(min(np.float32(8388607.0), max(np.float32(-8388608.0), value))) << np.int32(8)
