"""The template `flame`: a fire that lives on the music."""

from __future__ import annotations

from renderkiln.media.frames import palette
from renderkiln.pipelines.visualizer.template import Film, Painter, TemplateParams


class Params(TemplateParams):
    """What the user chooses for a flame."""


class Flame:
    """Bass lifts the flames, onsets spark embers, treble draws wisps; quiet passages calm down."""

    name = "flame"
    version = 1
    summary = "A fire that lives on the music: bass lifts the flames, onsets spark embers"
    palettes = tuple(palette.NAMED)
    Params = Params

    def painter(self, film: Film) -> Painter:
        """A new painter for this film."""
        # Late: whoever only lists templates or checks params must not wait for Numba.
        if film.canvas.projection == "stereo360":
            from renderkiln.pipelines.visualizer.templates.flame.ring import RingPainter

            return RingPainter(film)
        from renderkiln.pipelines.visualizer.templates.flame.painter import FlatPainter

        return FlatPainter(film)
