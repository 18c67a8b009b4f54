"""A still picture laid over frames: prepared once, blended in a fraction of a millisecond."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from renderkiln.media.frames import dither
from renderkiln.media.frames.canvas import Frame
from renderkiln.media.frames.kernel import kernel
from renderkiln.media.frames.picture import OFFSET, RGB_TO_YCBCR, SCALE, halve

Plane = npt.NDArray[np.float32]

_MASK = dither.MASK


@dataclass(frozen=True)
class Patch:
    """A rectangle of picture at even frame coordinates.

    `ink` and `cover` belong together: a code value c becomes c · (1 - cover) + ink. Y planes have shape
    (h, w), chroma planes (h / 2, w / 2).
    """

    x: int
    y: int
    ink: tuple[Plane, Plane, Plane]
    cover: Plane
    chroma_cover: Plane

    @classmethod
    def from_rgba(cls, pixels: npt.NDArray[np.uint8], x: int, y: int) -> Patch:
        """From premultiplied sRGB RGBA (h, w, 4) whose top left pixel lies at (x, y), both 0 or more."""
        pixels = _even(pixels, x, y)
        premultiplied = pixels.astype(np.float32) / np.float32(255)
        alpha = np.ascontiguousarray(premultiplied[..., 3])
        codes = premultiplied[..., :3] @ (RGB_TO_YCBCR.T * SCALE).astype(np.float32)
        codes += alpha[..., None] * OFFSET.astype(np.float32)
        ink = (np.ascontiguousarray(codes[..., 0]), halve(codes[..., 1]), halve(codes[..., 2]))
        return cls(x & ~1, y & ~1, ink, alpha, halve(alpha))

    def blend(self, frame: Frame, opacity: float) -> None:
        """Lay the patch over the frame; 0 leaves every pixel as it is."""
        noise = dither.blue_noise()
        _blend(self.ink[0], self.cover, self.x, self.y, opacity, noise, frame.y)
        _blend(self.ink[1], self.chroma_cover, self.x // 2, self.y // 2, opacity, noise, frame.u)
        _blend(self.ink[2], self.chroma_cover, self.x // 2, self.y // 2, opacity, noise, frame.v)


def _even(pixels: npt.NDArray[np.uint8], x: int, y: int) -> npt.NDArray[np.uint8]:
    """Pad with transparency so that the rectangle begins and ends on even coordinates."""
    height, width = pixels.shape[:2]
    left, top = x & 1, y & 1
    return np.pad(pixels, ((top, (top + height) & 1), (left, (left + width) & 1), (0, 0)))


@kernel
def _blend(
    ink: Plane, cover: Plane, x: int, y: int, opacity: float, noise: Plane, out: npt.NDArray[np.uint8]
) -> None:
    height, width = ink.shape
    amount = np.float32(opacity)
    for j in range(min(height, out.shape[0] - y)):
        row = out[y + j]
        threshold = noise[(y + j) & _MASK]
        for i in range(min(width, out.shape[1] - x)):
            under = np.float32(row[x + i])
            blended = under + (ink[j, i] - under * cover[j, i]) * amount
            row[x + i] = np.uint8(np.int32(blended + threshold[(x + i) & _MASK]))
