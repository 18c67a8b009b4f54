"""The sizes and projections a film can have."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from renderkiln.media.frames.canvas import Canvas, Projection


@dataclass(frozen=True)
class Format:
    """Size in pixels; `stereo360` is top-bottom, both eyes in one picture."""

    name: str
    width: int
    height: int
    summary: str
    projection: Projection = "flat"

    def canvas(self, fps: int) -> Canvas:
        return Canvas(self.width, self.height, Fraction(fps), self.projection)


FORMATS = {
    each.name: each
    for each in (
        Format("1080p", 1920, 1080, "Full HD"),
        Format("4k", 3840, 2160, "Ultra HD"),
        Format("360stereo", 3840, 3840, "stereoscopic 360°, top-bottom equirectangular", "stereo360"),
        Format("720p", 1280, 720, "HD"),
        Format("portrait", 1080, 1920, "upright, for phones"),
        Format("square", 1080, 1080, "for feeds"),
        Format("preview", 640, 360, "small and quick"),
    )
}
