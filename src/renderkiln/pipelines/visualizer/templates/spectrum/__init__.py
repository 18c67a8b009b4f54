"""Spectrum: a skyline of luminous bars above a dark, glossy floor."""

from __future__ import annotations

from pydantic import Field

from renderkiln.media.frames.palette import NAMED
from renderkiln.pipelines.visualizer.template import Film, Painter, TemplateParams


class SpectrumParams(TemplateParams):
    """What one may choose."""

    bars: int = Field(80, ge=16, le=160, description="How many bars stand side by side")
    reflection: float = Field(0.6, ge=0.0, le=1.0, description="How glossy the floor is; 0 is matt")
    peaks: bool = Field(default=True, description="Small caps that stay at the last peak, then fall")


class Spectrum:
    """The spectrum of the music, bass in the middle, mirrored to both sides."""

    name = "spectrum"
    version = 1
    summary = "Luminous bars above a dark, glossy floor; bass in the middle, peaks that linger"
    palettes = tuple(NAMED)
    Params = SpectrumParams

    def painter(self, film: Film) -> Painter:
        """A new painter for this film."""
        # Late: whoever only lists templates or checks params must not wait for Numba.
        from renderkiln.pipelines.visualizer.templates.spectrum.painter import SpectrumPainter

        return SpectrumPainter(film)
