"""Noise that repeats without a seam: textures made once, read by kernels; and random numbers from a hash."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from renderkiln.media.frames.kernel import inlined, kernel

Texture = npt.NDArray[np.float32]
Row = npt.NDArray[np.float32]

SIZE = 512  # texels along one side of a period
STRIDE = SIZE + 16  # texels stored in a row: some are repeated, so that no reader wraps a neighbour
_MASK = SIZE - 1
_AHEAD = 16 * SIZE  # keeps coordinates positive, so that truncation rounds down
_BATCH = 256  # places in a batch: its scratch stays in the fastest cache
_MEAN, _DEVIATION = 0.5, 0.2


@lru_cache(maxsize=32)
def texture(seed: int, octaves: int, cells: int, gain: float = 0.5) -> Texture:
    """Tileable gradient noise (Perlin 2002), read-only, shape (SIZE + 1, STRIDE), mean 0.5, deviation 0.2.

    Only the functions below should read it: the last row and columns repeat the first ones.

    The coarsest octave has `cells` cells along a side; each further one twice as many at `gain` times the
    strength. Values are unbounded in principle and lie within about 0 … 1.
    """
    rng = np.random.default_rng(seed)
    total = np.zeros((SIZE, SIZE), np.float64)
    for octave in range(octaves):
        total += gain**octave * _gradient_noise(rng, cells << octave)
    total *= _DEVIATION / total.std()
    total += _MEAN - total.mean()
    made = np.pad(total, ((0, 1), (0, STRIDE - SIZE)), mode="wrap").astype(np.float32)
    made.flags.writeable = False
    return made


def _gradient_noise(rng: np.random.Generator, cells: int) -> npt.NDArray[np.float64]:
    if cells > SIZE // 4:
        raise ValueError(f"{cells} cells do not fit a texture of {SIZE} texels; at most {SIZE // 4}")
    angle = rng.random((cells, cells)) * (2 * np.pi)
    place = np.arange(SIZE) * (cells / SIZE)
    cell = place.astype(np.intp)
    inside = place - cell
    fade = inside**3 * (inside * (inside * 6 - 15) + 10)
    y, x = inside[:, None], inside[None, :]

    def corner(down: int, right: int) -> npt.NDArray[np.float64]:
        a = angle[np.ix_((cell + down) % cells, (cell + right) % cells)]
        return np.asarray(np.cos(a) * (x - right) + np.sin(a) * (y - down))

    top = corner(0, 0) + (corner(0, 1) - corner(0, 0)) * fade[None, :]
    bottom = corner(1, 0) + (corner(1, 1) - corner(1, 0)) * fade[None, :]
    return np.asarray(top + (bottom - top) * fade[:, None])


def wrapped(value: float) -> float:
    """The fractional part, 0 … 1.

    Coordinates count in tiles, so a scroll offset may be wrapped. Do so in Python, in float64: a float32
    phase of several hours has no room left for fractions of a texel.
    """
    return value - math.floor(value)


@inlined
def lookup(tile: Texture, x: np.float32, y: np.float32) -> np.float32:
    """Bilinear reading at (x, y), counted in tiles: 1.0 is one period. Within ±15."""
    x = np.float32(x) * np.float32(SIZE) + np.float32(_AHEAD)
    y = np.float32(y) * np.float32(SIZE) + np.float32(_AHEAD)
    left, top = np.int32(x), np.int32(y)
    fx, fy = x - np.float32(left), y - np.float32(top)
    column, row = np.uint32(left & np.int32(_MASK)), np.uint32(top & np.int32(_MASK))
    a = tile[row, column]
    b = tile[row + np.uint32(1), column]
    a += (tile[row, column + np.uint32(1)] - a) * fx
    b += (tile[row + np.uint32(1), column + np.uint32(1)] - b) * fx
    return a + (b - a) * fy


@kernel
def sample(tile: Texture, x: Row, y: Row, first: int, last: int, out: Row) -> None:
    """`lookup` for the places first ≤ i < last of a row: several times as fast as one by one.

    Where to read is worked out in a loop of its own, which is vectorised; the reading cannot be.
    """
    at = np.empty(_BATCH, np.int32)
    fx = np.empty(_BATCH, np.float32)
    fy = np.empty(_BATCH, np.float32)
    texels = tile.ravel()
    for start in range(first, last, _BATCH):
        count = min(_BATCH, last - start)
        for n in range(count):
            i = np.uint32(n)
            u = x[np.uint32(start) + i] * np.float32(SIZE) + np.float32(_AHEAD)
            v = y[np.uint32(start) + i] * np.float32(SIZE) + np.float32(_AHEAD)
            left, top = np.int32(u), np.int32(v)
            fx[i], fy[i] = u - np.float32(left), v - np.float32(top)
            at[i] = (top & np.int32(_MASK)) * np.int32(STRIDE) + (left & np.int32(_MASK))
        for n in range(count):
            i = np.uint32(n)
            k = np.uint32(at[i])
            a = texels[k]
            b = texels[k + np.uint32(STRIDE)]
            a += (texels[k + np.uint32(1)] - a) * fx[i]
            b += (texels[k + np.uint32(STRIDE + 1)] - b) * fx[i]
            out[np.uint32(start) + i] = a + (b - a) * fy[i]


@inlined
def hash01(key: int) -> np.float32:
    """A random number in 0 … 1 that depends on `key` alone (lowbias32 by C. Wellons).

    The masks are needed: numba widens products of 32-bit integers to 64 bits.
    """
    k = np.int64(key) & 0xFFFFFFFF
    k ^= k >> 16
    k = (k * 0x7FEB352D) & 0xFFFFFFFF
    k ^= k >> 15
    k = (k * 0x846CA68B) & 0xFFFFFFFF
    k ^= k >> 16
    return np.float32(k >> 8) * np.float32(1 / 16777216.0)
