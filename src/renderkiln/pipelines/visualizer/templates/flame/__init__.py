"""The template `flame`: a fire that lives on the music."""

from __future__ import annotations

from renderkiln.media.frames import palette
from renderkiln.pipelines.visualizer.template import Film, Painter, TemplateParams
from renderkiln.pipelines.visualizer.templates.flame.painter import FlatPainter


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
        if film.canvas.projection == "stereo360":
            from renderkiln.pipelines.visualizer.templates.flame.ring import RingPainter  # compiled apart

            return RingPainter(film)
        return FlatPainter(film)
