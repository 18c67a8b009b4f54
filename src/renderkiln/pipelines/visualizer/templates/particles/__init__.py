"""Particles: a breathing core that sheds thousands of sparks into a slow current."""

from __future__ import annotations

from pydantic import Field

from renderkiln.media.frames.palette import NAMED
from renderkiln.pipelines.visualizer.template import Film, Painter, TemplateParams


class ParticlesParams(TemplateParams):
    """What one may choose."""

    count: int = Field(12_000, ge=200, le=60_000, description="How many particles are alive at a time")
    swirl: float = Field(1.0, ge=-3.0, le=3.0, description="How fast the cloud turns; negative turns it back")
    aperture: float = Field(
        1.0, ge=0.0, le=3.0, description="Blur of near and far particles; 0 keeps all sharp"
    )


class Particles:
    """Thousands of sparks in three dimensions, drawn without simulation."""

    name = "particles"
    version = 1
    summary = "A core that breathes with the bass and sheds thousands of drifting sparks"
    palettes = tuple(NAMED)
    Params = ParticlesParams

    def painter(self, film: Film) -> Painter:
        """A new painter for this film."""
        # Late: whoever only lists templates or checks params must not wait for Numba.
        from renderkiln.pipelines.visualizer.templates.particles.painter import ParticlesPainter

        return ParticlesPainter(film)
