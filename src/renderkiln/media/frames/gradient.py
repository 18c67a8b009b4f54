"""Gradients as CSS draws them: between gamma-encoded colours, along a line or outwards from the middle."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import skia

from renderkiln.media.frames import dither
from renderkiln.media.frames.canvas import Frame
from renderkiln.media.frames.colorcode import Color, code_values, over_black

Plane = npt.NDArray[np.float32]
Kind = Literal["linear", "radial"]

STEPS = 8  # entries of the table of colours for each pixel of the gradient's length


@dataclass(frozen=True)
class Gradient:
    """Colours at places from 0 to 1, in any number from two; before the first and behind the last they go on.

    A linear one runs at `angle` degrees, 180 down and 90 to the right, and is as long as it must be for the
    corners to have the colours of its ends (CSS Images 4, section 3.1.1). A radial one is a circle around the
    middle that ends in the corners. A place before the one before it counts as equal to it, as in CSS: there
    the colour changes at once. Raises `ValueError` for places outside, too few colours and odd angles.
    """

    stops: Sequence[tuple[float, Color]]
    kind: Kind = "linear"
    angle: float = 180.0

    def __post_init__(self) -> None:
        if len(self.stops) < 2:
            raise ValueError("a gradient has two colours or more")
        for place, _ in self.stops:
            if not 0 <= place <= 1:
                raise ValueError(f"a colour of a gradient lies from 0 to 1, not at {place:g}")
        if self.kind not in ("linear", "radial"):
            raise ValueError(f"a gradient is linear or radial, not {self.kind!r}")
        if not math.isfinite(self.angle):
            raise ValueError(f"the angle of a gradient is a number of degrees, not {self.angle}")

    @cached_property
    def places(self) -> list[float]:
        """Where the stops are, none before the one before it."""
        return np.maximum.accumulate([place for place, _ in self.stops]).tolist()

    def direction(self, width: float, height: float) -> tuple[float, float]:
        """From the beginning to the end of a linear one over such a box, in pixels to the right and down."""
        across, down = math.sin(math.radians(self.angle)), -math.cos(math.radians(self.angle))
        length = abs(width * across) + abs(height * down)
        return length * across, length * down


def paint_gradient(frame: Frame, gradient: Gradient) -> None:
    """Paint the whole frame, with dither, so that no bands are seen; translucent colours lie over black."""
    height, width = frame.y.shape
    ramps = _ramps(gradient, width, height)
    luma, chroma = dither.blue_noise(), dither.chroma_noise()
    x, y = np.arange(width) + 0.5, np.arange(height) + 0.5
    _lookup(ramps[0], _along(gradient, width, height, x, y), luma, frame.y)
    # A sample of chroma lies on the left one of its pixels, between two rows.
    along = _along(gradient, width, height, x[::2], y[::2] + 0.5)
    _lookup(ramps[1], along, chroma, frame.u)
    _lookup(ramps[2], along, chroma, frame.v)


def gradient_shader(gradient: Gradient, width: float, height: float) -> skia.Shader:
    """The same gradient over a box from (0, 0) to (width, height), for a Skia paint; let it dither."""
    colors = [skia.Color(*color) for _, color in gradient.stops]
    flags = skia.GradientShader.kInterpolateColorsInPremul_Flag
    if gradient.kind == "radial":
        middle, radius = skia.Point(width / 2, height / 2), max(math.hypot(width, height) / 2, 1e-3)
        return skia.GradientShader.MakeRadial(
            middle, radius, colors, gradient.places, skia.TileMode.kClamp, flags
        )
    across, down = gradient.direction(width, height)
    if math.hypot(across, down) < 1e-3:  # a level line has no height that colours could change along
        return skia.Shaders.Color(colors[0])
    ends = [
        skia.Point((width - across) / 2, (height - down) / 2),
        skia.Point((width + across) / 2, (height + down) / 2),
    ]
    return skia.GradientShader.MakeLinear(ends, colors, gradient.places, skia.TileMode.kClamp, flags)


def _length(gradient: Gradient, width: int, height: int) -> float:
    """Pixels from 0 to 1."""
    if gradient.kind == "radial":
        return math.hypot(width, height) / 2
    return math.hypot(*gradient.direction(width, height))


def _along(gradient: Gradient, width: int, height: int, x: npt.NDArray[Any], y: npt.NDArray[Any]) -> Plane:
    """Where the points of a grid are along the gradient, in pixels from its beginning, shape (y, x)."""
    right = (x - width / 2).astype(np.float32)[None, :]
    below = (y - height / 2).astype(np.float32)[:, None]
    if gradient.kind == "radial":
        return np.hypot(right, below)
    across, down = gradient.direction(width, height)
    length = math.hypot(across, down)
    return right * np.float32(across / length) + (below * np.float32(down / length) + np.float32(length / 2))


def _ramps(gradient: Gradient, width: int, height: int) -> Plane:
    """Y, Cb and Cr along the gradient, STEPS entries a pixel, each the mean over a pixel around it.

    The mean smooths places where colours change at once. Shape (3, entries). Code values are linear in
    premultiplied colour, so between two stops they are on a straight line too.
    """
    entries = _length(gradient, width, height) * STEPS
    at = np.arange(-STEPS, math.ceil(entries) + 1 + STEPS) / entries
    codes = np.array([code_values(over_black(color)) for _, color in gradient.stops])
    box = np.full(STEPS, 1 / STEPS)
    ramps = [np.convolve(np.interp(at, gradient.places, plane), box, "same") for plane in codes.T]
    return np.stack([ramp[STEPS:-STEPS] for ramp in ramps]).astype(np.float32)


def _lookup(ramp: Plane, along: Plane, noise: Plane, out: npt.NDArray[np.uint8]) -> None:
    """The codes at places along the ramp (in pixels), dithered to whole ones."""
    entry = (along * np.float32(STEPS) + np.float32(0.5)).astype(np.int32)
    codes = ramp[np.clip(entry, 0, len(ramp) - 1, out=entry)]
    rows, columns = (math.ceil(side / dither.SIDE) for side in out.shape)
    codes += np.tile(noise, (rows, columns))[: out.shape[0], : out.shape[1]]
    out[:] = codes.astype(np.uint8)
