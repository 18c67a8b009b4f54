"""From linear light to code values: bloom added, vignette, filmic curve, BT.709 limited range."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from renderkiln.media.frames.bloom import SHRINK, Light
from renderkiln.media.frames.expand import mix_rows, stretch
from renderkiln.media.frames.kernel import inlined, kernel

Plane = npt.NDArray[np.float32]


@inlined
def filmic(x: np.float32) -> np.float32:
    """Linear light 0 … ∞ to a gamma-coded 0 … 1: deep shadows, a long shoulder that burns to white.

    A rational curve as of J. Hable and K. Narkowicz, then gamma 2.
    """
    x = x * np.float32(1.25)
    y = x * (x + np.float32(0.03)) / (x * (x * np.float32(0.78) + np.float32(0.62)) + np.float32(0.09))
    return np.float32(math.sqrt(min(y, np.float32(1))))


@inlined
def luma_code(r: np.float32, g: np.float32, b: np.float32) -> np.float32:
    """Y of gamma-coded RGB, 16 … 235 (BT.709)."""
    weighted = np.float32(0.2126) * r + np.float32(0.7152) * g + np.float32(0.0722) * b
    return np.float32(16) + np.float32(219) * weighted


@inlined
def cb_code(r: np.float32, g: np.float32, b: np.float32) -> np.float32:
    """Cb of gamma-coded RGB, 16 … 240 (BT.709)."""
    weighted = np.float32(0.5) * b - np.float32(0.114572) * r - np.float32(0.385428) * g
    return np.float32(128) + np.float32(224) * weighted


@inlined
def cr_code(r: np.float32, g: np.float32, b: np.float32) -> np.float32:
    """Cr of gamma-coded RGB, 16 … 240 (BT.709)."""
    weighted = np.float32(0.5) * r - np.float32(0.454153) * g - np.float32(0.045847) * b
    return np.float32(128) + np.float32(224) * weighted


@kernel
def develop(
    light: Light,
    glow: Light,
    strength: float,
    vignette: float,
    wrap: bool,  # noqa: FBT001  # kernels are called by position
    y: Plane,
    u: Plane,
    v: Plane,
) -> None:
    """Turn `light` (3, h, w) plus `strength` × `glow` into Y, U, V of shape (h, w), as float code values.

    `vignette` darkens the corners: 0 is off, 1 is the usual amount. `wrap`: see `bloom.blur`.
    """
    _, height, width = light.shape
    glow_height, glow_width = glow.shape[1:]
    amount = np.float32(strength)
    coarse = np.empty(glow_width + 2, np.float32)
    fine = np.empty((3, glow_width * SHRINK), np.float32)
    side = np.empty(width, np.float32)
    for i in range(width):
        x = (np.float32(i) + np.float32(0.5)) / np.float32(width) - np.float32(0.5)
        side[i] = x * x * np.float32(1.1 * vignette)
    for j in range(height):
        at = (np.float32(j) + np.float32(0.5)) * np.float32(1 / SHRINK) - np.float32(0.5)
        for c in range(3):
            mix_rows(glow[c], min(at, np.float32(glow_height - 1)), wrap, coarse)
            stretch(coarse, SHRINK, fine[c])
        down = (np.float32(j) + np.float32(0.5)) / np.float32(height) - np.float32(0.5)
        lit = np.float32(1) - down * down * np.float32(0.9 * vignette)
        for i in range(width):
            shade = lit - side[i]
            r = filmic((light[0, j, i] + fine[0, i] * amount) * shade)
            g = filmic((light[1, j, i] + fine[1, i] * amount) * shade)
            b = filmic((light[2, j, i] + fine[2, i] * amount) * shade)
            y[j, i] = luma_code(r, g, b)
            u[j, i] = cb_code(r, g, b)
            v[j, i] = cr_code(r, g, b)


def code_values(rgb: tuple[float, float, float]) -> tuple[float, float, float]:
    """Y, Cb, Cr code values of one linear-light colour as `develop` would show it (no glow, no vignette)."""
    light = np.array(rgb, np.float32).reshape(3, 1, 1)
    planes = np.empty((3, 1, 1), np.float32)
    dark = np.zeros((3, 1, 1), np.float32)
    develop(light, dark, 0.0, 0.0, False, planes[0], planes[1], planes[2])  # noqa: FBT003  # not around
    y, u, v = (float(value) for value in planes.ravel())
    return y, u, v
