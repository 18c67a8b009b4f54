"""A slow drift over a picture, after Ken Burns."""

from __future__ import annotations

from renderkiln.media.frames.axis import Rect
from renderkiln.media.frames.easing import eased
from renderkiln.pipelines.scenes.document.motion import KenBurns

MOST = 3.0  # times: 28 MB of a frame of 1080p


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


def enlarged(drift: KenBurns) -> float:
    """How much larger than its place a picture is kept to drift over it.

    As its closest view needs, so that nothing is enlarged when it is drawn; but no more than twice what its
    widest view needs, which would leave pixels out, and than memory is for.
    """
    zooms = drift.start.zoom, drift.end.zoom
    return min(max(zooms), 2 * min(zooms), MOST)
