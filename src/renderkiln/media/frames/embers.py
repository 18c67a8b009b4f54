"""Sparks: small glowing points with a streak of motion, drawn onto a finished frame at full resolution."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from renderkiln.media.frames.kernel import inlined, kernel

Codes = npt.NDArray[np.uint8]

_WHITE = 235
_REACH = 4.0  # radii to where a spark's halo has faded to nothing


@inlined
def profile(distance: np.float32, softness: np.float32) -> np.float32:
    """Brightness 0 … 1 at `distance` (in radii): a hot point with a halo, or at softness 1 a pale disc."""
    d2 = distance * distance
    near = max(np.float32(1) - d2 * np.float32(1 / _REACH**2), np.float32(0))
    point = near * near / (np.float32(1) + d2 + d2 * d2 * np.float32(0.5))
    edge = min(max((np.float32(2.4) - distance) * np.float32(0.55), np.float32(0)), np.float32(1))
    disc = edge * edge * (np.float32(3) - np.float32(2) * edge)
    return point + (disc - point) * softness


@inlined
def shine(
    x: np.float32, y: np.float32, tx: np.float32, ty: np.float32,
    scale: np.float32, taper: np.float32, softness: np.float32,
) -> np.float32:  # fmt: skip
    """Brightness at (x, y) of a spark with its head at the origin and a tail that fades out to (tx, ty).

    `scale` is radii per pixel; `taper` 0 … 1 is how much thinner and darker the tail gets.
    """
    along = (x * tx + y * ty) / (tx * tx + ty * ty + np.float32(1e-6))
    along = min(max(along, np.float32(0)), np.float32(1))
    dx, dy = x - tx * along, y - ty * along
    along *= taper
    thin = scale * (np.float32(1) + np.float32(0.6) * along)
    distance = np.float32(math.sqrt(dx * dx + dy * dy)) * thin
    return profile(distance, softness) * (np.float32(1) - np.float32(0.75) * along)


@kernel
def splat(
    y: Codes, u: Codes, v: Codes,
    cx: float, cy: float, tx: float, ty: float,
    radius: float, alpha: float, softness: float, cb: float, cr: float, wrap: bool,  # noqa: FBT001  # kernels are called by position
) -> None:  # fmt: skip
    """Blend one spark into the planes of a frame, towards white in Y and towards (cb, cr) in colour.

    (cx, cy) is its head and (tx, ty) its tail relative to the head, in luma pixels; `radius` the size of its
    bright middle in pixels (below 0.7 it is drawn larger and dimmer instead, so that it never twinkles as it
    crosses pixels); `alpha` its strength 0 … 1; `softness`: see `profile`. What lies outside is cut off;
    with `wrap` it continues at the opposite side.
    """
    height, width = y.shape
    size = np.float32(radius if radius > 0.7 else 0.7)
    length = math.sqrt(tx * tx + ty * ty)
    strength = np.float32(alpha) * np.float32(min(float(radius / size) ** 2, 1.0))
    strength *= size / (size + np.float32(0.10) * np.float32(length))  # a streak spreads the same light
    reach = size * np.float32(_REACH)
    if not (strength > np.float32(0.004) and reach < width):
        return
    left, right = math.floor(min(cx, cx + tx) - reach), math.ceil(max(cx, cx + tx) + reach)
    top, bottom = math.floor(min(cy, cy + ty) - reach), math.ceil(max(cy, cy + ty) + reach)
    if not wrap:
        left, right = max(left, 0), min(right, width - 1)
    top, bottom = max(top, 0), min(bottom, height - 1)
    scale, taper = np.float32(1) / size, np.float32(length / (length + 2.0 * size))
    bright = np.float32(_WHITE) - np.float32(softness) * np.float32(70)  # a disc is not hot enough for white
    for j in range(top, bottom + 1):
        for i in range(left, right + 1):
            dx, dy = np.float32(i - cx), np.float32(j - cy)
            a = strength * shine(dx, dy, np.float32(tx), np.float32(ty), scale, taper, np.float32(softness))
            if a > np.float32(0.003):
                x = i % width
                old = np.float32(y[j, x])
                lift = max(bright - old, np.float32(0)) * min(a, np.float32(1))
                y[j, x] = np.uint8(old + lift + np.float32(0.5))
    for j in range(top >> 1, (bottom >> 1) + 1):
        for i in range(left >> 1, (right >> 1) + 1):
            dx, dy = np.float32(2 * i + 0.5 - cx), np.float32(2 * j + 0.5 - cy)
            a = strength * shine(dx, dy, np.float32(tx), np.float32(ty), scale, taper, np.float32(softness))
            if a > np.float32(0.003):
                x = i % (width >> 1)
                # the hot middle burns to white: less colour where there is most light
                a = min(a * np.float32(2), np.float32(1)) * (np.float32(1) - np.float32(0.45) * a)
                old_u, old_v = np.float32(u[j, x]), np.float32(v[j, x])
                u[j, x] = np.uint8(old_u + (np.float32(cb) - old_u) * a + np.float32(0.5))
                v[j, x] = np.uint8(old_v + (np.float32(cr) - old_v) * a + np.float32(0.5))
