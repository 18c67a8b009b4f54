"""Outlines and shadows of the document in pixels of the frame."""

from __future__ import annotations

from renderkiln.media.frames.shape import Shadow, Stroke
from renderkiln.pipelines.scenes.document import style as document
from renderkiln.pipelines.scenes.drawing.studio import Studio


def stroke_of(stroke: document.Stroke | None, studio: Studio) -> Stroke | None:
    """An outline; None for none."""
    return None if stroke is None else Stroke(studio.color(stroke.color), stroke.width * studio.ruler.unit)


def shadow_of(shadow: document.Shadow | None, studio: Studio) -> Shadow | None:
    """A shadow; None for none."""
    unit = studio.ruler.unit
    if shadow is None:
        return None
    return Shadow(studio.color(shadow.color), shadow.x * unit, shadow.y * unit, shadow.blur * unit)
