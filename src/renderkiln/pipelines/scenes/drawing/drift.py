"""A slow drift over a picture, after Ken Burns."""

from __future__ import annotations

from renderkiln.media.frames.axis import Rect
from renderkiln.media.frames.easing import eased
from renderkiln.pipelines.scenes.document.motion import KenBurns


def view_at(drift: KenBurns, progress: float, width: int, height: int) -> Rect:
    """The part of a picture of `width` × `height` pixels that is seen when `progress` of the time is over.

    Enlarging by a constant factor in each moment looks steady, so zooms are interpolated geometrically.
    """
    there = eased(drift.easing, progress)
    zoom = drift.start.zoom * (drift.end.zoom / drift.start.zoom) ** there
    x = drift.start.x + (drift.end.x - drift.start.x) * there
    y = drift.start.y + (drift.end.y - drift.start.y) * there
    across, down = width / zoom, height / zoom
    left, top = x * (width - across), y * (height - down)
    return Rect(left, top, left + across, top + down)


def closest(drift: KenBurns) -> float:
    """The largest zoom on the way."""
    return max(drift.start.zoom, drift.end.zoom)
