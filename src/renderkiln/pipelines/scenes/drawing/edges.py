"""Outlines and shadows of the document in pixels of the frame."""

from __future__ import annotations

import math

from renderkiln.media.frames.shape import Shadow, Stroke
from renderkiln.pipelines.scenes.document import style as document
from renderkiln.pipelines.scenes.drawing.studio import Studio


def stroke_of(stroke: document.Stroke | None, studio: Studio) -> Stroke | None:
    """An outline; None for none."""
    return None if stroke is None else Stroke(studio.color(stroke.color), stroke.width * studio.ruler.unit)


def shadow_of(shadow: document.Shadow | None, studio: Studio, *, rotation: float = 0.0) -> Shadow | None:
    """A shadow; None for none. The light does not turn with what will be turned by `rotation` degrees."""
    unit = studio.ruler.unit
    if shadow is None:
        return None
    across, down = math.cos(math.radians(rotation)) * unit, math.sin(math.radians(rotation)) * unit
    x, y = shadow.x * across + shadow.y * down, shadow.y * across - shadow.x * down
    return Shadow(studio.color(shadow.color), x, y, shadow.blur * unit)
