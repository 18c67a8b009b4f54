"""A still picture in one place of every frame: prepared once, blended in a fraction of a millisecond."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from renderkiln.media.frames.canvas import Frame
from renderkiln.media.frames.sprite import Sprite


@dataclass(frozen=True)
class Patch:
    """A sprite at even frame coordinates, where its samples fall upon those of the frame."""

    x: int
    y: int
    sprite: Sprite

    @classmethod
    def from_rgba(cls, pixels: npt.NDArray[np.uint8], x: int, y: int) -> Patch:
        """From premultiplied sRGB RGBA (h, w, 4) whose top left pixel lies at (x, y)."""
        return cls(x & ~1, y & ~1, Sprite.from_rgba(np.pad(pixels, ((y & 1, 0), (x & 1, 0), (0, 0)))))

    def blend(self, frame: Frame, opacity: float) -> None:
        """Lay the patch over the frame; 0 leaves every pixel as it is."""
        self.sprite.draw(frame, self.x, self.y, opacity=opacity)
