"""How large a film of scenes is, and where lengths of the document lie in it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from renderkiln.media.frames.canvas import Canvas
from renderkiln.pipelines.scenes.document.project import Aspect, Resolution
from renderkiln.pipelines.scenes.document.units import GRID, Length

SAFE = 0.05  # margin of the frame's width and height that texts keep from the edges
# Of 1080p; smaller ones are in proportion, in even numbers: 854x480 is what players call 480p.
_SIDES: dict[Aspect, tuple[int, int]] = {
    "16:9": (1920, 1080),
    "9:16": (1080, 1920),
    "1:1": (1080, 1080),
    "4:5": (1080, 1350),
}


def canvas_of(resolution: Resolution, aspect: Aspect, fps: Fraction) -> Canvas:
    """The surface that is drawn on."""
    lines = int(resolution.removesuffix("p"))
    width, height = (2 * round(side * lines / GRID / 2) for side in _SIDES[aspect])
    return Canvas(width, height, fps)


@dataclass(frozen=True)
class Area:
    """A rectangle of the frame, in its pixels."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top


@dataclass(frozen=True)
class Ruler:
    """Turns lengths of the document into pixels of the frame."""

    canvas: Canvas

    @property
    def unit(self) -> float:
        """Pixels of the frame in one of the document."""
        return min(self.canvas.width, self.canvas.height) / GRID

    def across(self, length: Length) -> float:
        """Of a width, or a place from left to right."""
        return self._pixels(length, self.canvas.width)

    def down(self, length: Length) -> float:
        """Of a height, or a place from top to bottom."""
        return self._pixels(length, self.canvas.height)

    def area(self, *, full_bleed: bool) -> Area:
        """The frame, or what of it is within safe margins."""
        margin = 0.0 if full_bleed else SAFE
        width, height = self.canvas.width, self.canvas.height
        return Area(margin * width, margin * height, (1 - margin) * width, (1 - margin) * height)

    def _pixels(self, length: Length, whole: int) -> float:
        if isinstance(length, str):
            return float(length.removesuffix("%")) / 100 * whole
        return length * self.unit
