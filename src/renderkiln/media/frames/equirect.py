"""Geometry of a stereoscopic 360° picture: omnidirectional stereo on an equirectangular canvas.

Source: Google, "Rendering Omni-directional Stereo Content" (2015). The two eyes travel on a circle as the
head turns; every pixel column is seen from where the eye is when the head looks at it. So a vertical cylinder
of radius R around the viewer, seen by an eye that sits d to the right of the head, shows at longitude λ its
azimuth λ + asin(d / R), and at latitude φ its height tan(φ) · √(R² − d²). To the left eye (d < 0) near things
lie further right than to the right eye: crossed disparity.

Towards the poles the eyes close in on the axis: the columns of all directions meet there, and any offset
would twist. Longitude and azimuth run from −π at the left edge over 0 ahead to π, latitude and heights
upwards from the horizon; angles in radians, lengths in metres. Functions of `Numbers` take numbers in kernels
and arrays elsewhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numba.extending import register_jitable

from renderkiln.media.frames.canvas import Canvas

Numbers = Any  # a number, or an array of them
Angles = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]
Coordinates = npt.NDArray[np.float32]

IPD = 0.064  # distance of an adult's eyes, metres (median; Dodgson 2004)
NEAREST = 1.2  # metres: nearer shells strain the eyes, see `disparity_degrees`
LEFT, RIGHT = -1, 1
EYES = (LEFT, RIGHT)  # from top to bottom of the canvas

TAPER_FROM, TAPER_TO = math.radians(60), math.radians(85)


@register_jitable
def eye_offset(latitude: Numbers, eye: int) -> Numbers:
    """How far the eye (LEFT, RIGHT) sits to the right of the head, in metres: ± IPD / 2, 0 near the poles."""
    t = (np.abs(latitude) - TAPER_FROM) / (TAPER_TO - TAPER_FROM)
    t = np.minimum(np.maximum(t, 0.0), 1.0)
    return eye * (0.5 * IPD) * (1.0 - t * t * (3.0 - 2.0 * t))


@register_jitable
def hit_cylinder(longitude: Numbers, latitude: Numbers, radius: Numbers, eye: int) -> tuple[Numbers, Numbers]:
    """Azimuth and height at which a pixel's ray meets the cylinder of this radius."""
    offset = eye_offset(latitude, eye)
    return longitude + np.arcsin(offset / radius), np.tan(latitude) * np.sqrt(
        radius * radius - offset * offset
    )


@register_jitable
def see_point(azimuth: Numbers, height: Numbers, radius: Numbers, eye: int) -> tuple[Numbers, Numbers]:
    """Longitude and latitude at which an eye sees a point: the inverse of `hit_cylinder`."""
    latitude = np.arctan(height / radius)
    for _ in range(2):  # where the eye sits depends on the latitude, very weakly
        offset = eye_offset(latitude, eye)
        latitude = np.arctan(height / np.sqrt(radius * radius - offset * offset))
    return azimuth - np.arcsin(eye_offset(latitude, eye) / radius), latitude


def longitudes(width: int) -> Angles:
    """Longitude of every pixel column's centre, shape (width,)."""
    return ((np.arange(width) + 0.5) / width - 0.5) * (2 * np.pi)


def latitudes(height: int) -> Angles:
    """Latitude of every pixel row's centre of one eye's picture, shape (height,)."""
    return (0.5 - (np.arange(height) + 0.5) / height) * np.pi


@register_jitable
def to_pixel(longitude: Numbers, latitude: Numbers, width: int, height: int) -> tuple[Numbers, Numbers]:
    """Column and row (0 is the first pixel's centre) in one eye's picture; columns are not wrapped."""
    x = (longitude / (2 * math.pi) + 0.5) * width - 0.5
    return x, (0.5 - latitude / math.pi) * height - 0.5


def eye_rows(canvas: Canvas, eye: int) -> slice:
    """The rows of a `stereo360` canvas that belong to this eye."""
    half = canvas.height // 2
    return slice(0, half) if eye == LEFT else slice(half, canvas.height)


def disparity_degrees(radius: float) -> float:
    """Angle between the two eyes' pictures of a point at this distance; about 3° is the limit of comfort."""
    return math.degrees(2 * math.asin(0.5 * IPD / radius))


@dataclass(frozen=True)
class PanelView:
    """A panel as one eye sees it: a rectangle of the canvas and where in the panel its pixels look.

    The top left pixel is (x, y) on the whole canvas. A column shows the panel at `across` (w,), a row at
    `down` (h,), both 0 … 1 inside the panel: on a cylinder the two do not depend on one another, so vertical
    edges stay vertical.
    """

    x: int
    y: int
    across: Coordinates
    down: Coordinates

    def project(self, picture: Pixels) -> Pixels:
        """The picture (h, w, channels; premultiplied) as seen here, bilinear; clear outside the panel.

        Draw the picture at about `Panel.size`: it is not filtered for a stronger reduction.
        """
        rows, cols = picture.shape[:2]
        framed = np.pad(picture, ((1, 1), (1, 1), (0, 0))).astype(np.float32)
        x = np.clip(self.across * cols + 0.5, 0, cols + 1 - 1e-3)
        y = np.clip(self.down * rows + 0.5, 0, rows + 1 - 1e-3)
        left, top = x.astype(np.intp), y.astype(np.intp)
        fx, fy = (x - left)[None, :, None], (y - top)[:, None, None]
        lines = framed[top] + (framed[top + 1] - framed[top]) * fy
        mixed = lines[:, left] + (lines[:, left + 1] - lines[:, left]) * fx
        return np.rint(mixed).astype(np.uint8)


@dataclass(frozen=True)
class Panel:
    """A flat picture bent around the viewer: `size` in pixels to draw it at, one view for each of EYES."""

    size: tuple[int, int]  # width, height
    views: tuple[PanelView, PanelView]


def panel(
    canvas: Canvas,
    aspect: float,
    *,
    width_deg: float,
    radius: float,
    azimuth_deg: float = 0,
    elevation_deg: float = 0,
) -> Panel:
    """Where a panel of this aspect (width / height) lies for each eye.

    It stands on a cylinder of `radius` metres, spans `width_deg` of it, its middle at `azimuth_deg` to the
    right and `elevation_deg` above the horizon. Raises ValueError when it would reach over the seam behind
    the viewer, or above or below 60°, where the eyes close in and edges would bend.
    """
    arc, azimuth = math.radians(width_deg), math.radians(azimuth_deg)
    height = radius * arc / aspect
    ceiling = radius * math.tan(math.radians(elevation_deg)) + height / 2
    top, bottom = math.atan(ceiling / radius), math.atan((ceiling - height) / radius)
    if max(top, -bottom) > TAPER_FROM or abs(azimuth) + arc / 2 > math.pi - 0.1:
        raise ValueError(f"a panel of {width_deg}° at {azimuth_deg}°, {elevation_deg}° does not fit the view")
    left, right = (_panel_view(canvas, eye, azimuth - arc / 2, arc, ceiling, height, radius) for eye in EYES)
    size = (round(canvas.width * width_deg / 360), round(canvas.height / 2 * (top - bottom) / math.pi))
    return Panel(size, (left, right))


def _panel_view(
    canvas: Canvas, eye: int, start: float, arc: float, ceiling: float, height: float, radius: float
) -> PanelView:
    rows = canvas.height // 2
    left, top = to_pixel(*see_point(start, ceiling, radius, eye), canvas.width, rows)
    right, bottom = to_pixel(*see_point(start + arc, ceiling - height, radius, eye), canvas.width, rows)
    x, y = math.floor(left), math.floor(top)
    longitude = longitudes(canvas.width)[x : math.ceil(right) + 1]
    latitude = latitudes(rows)[y : math.ceil(bottom) + 1]
    azimuth, _ = hit_cylinder(longitude, 0.0, radius, eye)
    _, at = hit_cylinder(0.0, latitude, radius, eye)
    across, down = (azimuth - start) / arc, (ceiling - at) / height
    return PanelView(x, y + eye_rows(canvas, eye).start, across.astype(np.float32), down.astype(np.float32))
