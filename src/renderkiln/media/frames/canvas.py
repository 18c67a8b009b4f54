"""The surface that frames are drawn on: its size, its rate, its projection, and one frame of it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.uint8]
Projection = Literal["flat", "stereo360"]


@dataclass(frozen=True)
class Canvas:
    """Pixel size, frame rate and projection of a film.

    A `stereo360` canvas is top-bottom: the upper half of the height is the left eye, the lower half the
    right eye, each an equirectangular picture of 360° × 180°.
    """

    width: int
    height: int
    fps: Fraction
    projection: Projection = "flat"

    def __post_init__(self) -> None:
        if self.width % 2 or self.height % 2:
            raise ValueError(f"{self.width}x{self.height}: width and height must be even")

    @property
    def frame_bytes(self) -> int:
        """Size of one I420 frame in bytes."""
        return self.width * self.height * 3 // 2


class Frame:
    """One I420 frame, BT.709, limited range (Y 16–235, U and V 16–240), in one contiguous buffer.

    `y` has shape (height, width), `u` and `v` (height / 2, width / 2), all uint8 views of `buffer`.
    """

    __slots__ = ("buffer", "u", "v", "y")

    def __init__(self, canvas: Canvas, buffer: Plane | None = None) -> None:
        if buffer is None:
            buffer = np.empty(canvas.frame_bytes, np.uint8)
        width, height = canvas.width, canvas.height
        luma, chroma = width * height, width * height // 4
        self.buffer = buffer
        self.y: Plane = buffer[:luma].reshape(height, width)
        self.u: Plane = buffer[luma : luma + chroma].reshape(height // 2, width // 2)
        self.v: Plane = buffer[luma + chroma :].reshape(height // 2, width // 2)
