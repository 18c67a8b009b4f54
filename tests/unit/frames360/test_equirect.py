"""Omnidirectional stereo against explicit ray tracing in three dimensions."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderkiln.media.frames import equirect
from renderkiln.media.frames.canvas import Canvas
from renderkiln.media.frames.equirect import IPD, LEFT, RIGHT

CANVAS = Canvas(3840, 3840, Fraction(30), "stereo360")


def ray(longitude: float, latitude: float, eye: int) -> tuple[np.ndarray, np.ndarray]:
    """Origin and direction: x to the right, y up, z ahead; the eye turns with the head."""
    right = np.array([math.cos(longitude), 0, -math.sin(longitude)])
    ahead = np.array([math.sin(longitude), 0, math.cos(longitude)])
    direction = math.cos(latitude) * ahead + math.sin(latitude) * np.array([0, 1, 0])
    return eye * IPD / 2 * right, direction


angles = st.floats(-3.1, 3.1)
eyes = st.sampled_from([LEFT, RIGHT])


@given(angles, st.floats(-1.0, 1.0), st.floats(0.5, 50), eyes)
def test_rays_meet_the_cylinder_where_it_says(lon: float, lat: float, radius: float, eye: int) -> None:
    origin, direction = ray(lon, lat, eye)
    flat = direction[[0, 2]]
    along = math.sqrt(radius**2 - origin @ origin) / np.linalg.norm(flat)
    hit = origin + along * direction
    azimuth, height = equirect.hit_cylinder(lon, lat, radius, eye)
    assert np.hypot(hit[0], hit[2]) == pytest.approx(radius)
    assert height == pytest.approx(hit[1], abs=1e-9)
    assert [radius * math.sin(azimuth), radius * math.cos(azimuth)] == pytest.approx(
        [hit[0], hit[2]], abs=1e-9
    )


@given(angles, st.floats(-1.5, 1.5), st.floats(0.5, 50), eyes)
def test_seeing_a_point_inverts_it(lon: float, lat: float, radius: float, eye: int) -> None:
    azimuth, height = equirect.hit_cylinder(lon, lat, radius, eye)
    assert equirect.see_point(azimuth, height, radius, eye) == pytest.approx((lon, lat), abs=1e-5)


def sphere_columns(eye: int, distance: float) -> list[int]:
    """Columns of the horizon in which the eye sees a small ball straight ahead, by tracing every ray."""
    ball, size = np.array([0, 0, distance]), 0.05
    seen = []
    for column, longitude in enumerate(equirect.longitudes(3840)):
        origin, direction = ray(longitude, 0, eye)
        along = (ball - origin) @ direction
        if along > 0 and np.linalg.norm(origin + along * direction - ball) < size:
            seen.append(column)
    return seen


def test_a_near_ball_has_crossed_disparity_of_the_right_size() -> None:
    for distance in (1.2, 3.0):
        left, right = (np.mean(sphere_columns(eye, distance)) for eye in (LEFT, RIGHT))
        degrees = (left - right) * 360 / 3840
        assert degrees == pytest.approx(equirect.disparity_degrees(distance), abs=0.1)
        assert degrees > 0  # further right in the left eye's picture
        for eye, traced in ((LEFT, left), (RIGHT, right)):
            x, _ = equirect.to_pixel(*equirect.see_point(0.0, 0.0, distance, eye), 3840, 1920)
            assert x == pytest.approx(traced, abs=1)


def test_disparity_is_comfortable() -> None:
    assert equirect.disparity_degrees(equirect.NEAREST) == pytest.approx(3.06, abs=0.01)
    assert equirect.disparity_degrees(1e6) < 1e-4


def test_eyes_close_in_towards_the_poles_without_a_step() -> None:
    latitude = np.linspace(-math.pi / 2, math.pi / 2, 4001)
    offset = equirect.eye_offset(latitude, RIGHT)
    assert offset[2000] == IPD / 2
    assert offset[0] == offset[-1] == 0
    assert np.abs(np.diff(offset)).max() < IPD / 500
    assert np.array_equal(offset, -equirect.eye_offset(latitude, LEFT))


def test_pixels_and_angles() -> None:
    longitude, latitude = equirect.longitudes(400), equirect.latitudes(200)
    x, _ = equirect.to_pixel(longitude, 0.0, 400, 200)
    _, y = equirect.to_pixel(0.0, latitude, 400, 200)
    assert x == pytest.approx(np.arange(400))
    assert y == pytest.approx(np.arange(200))
    assert longitude[0] == -longitude[-1] < 0
    assert latitude[0] == pytest.approx(-latitude[-1])
    assert latitude[0] > 0


def picture(width: int, height: int) -> np.ndarray:
    """An opaque ramp: red rises to the right, green downwards."""
    ramp = np.zeros((height, width, 4), np.uint8)
    ramp[..., 0] = np.linspace(0, 255, width)[None, :]
    ramp[..., 1] = np.linspace(0, 255, height)[:, None]
    ramp[..., 3] = 255
    return ramp


def test_a_panel_has_straight_vertical_edges_and_the_disparity_of_its_distance() -> None:
    panel = equirect.panel(CANVAS, 4.0, width_deg=40, radius=2.0, elevation_deg=-10)
    edges = []
    for view in panel.views:
        alpha = view.project(picture(*panel.size))[..., 3].astype(float) / 255
        assert np.ptp(alpha[5:-5], axis=0).max() == 0  # every column is the same from top to bottom
        left = view.x + np.interp(0.5, alpha[20, :20], np.arange(20))
        edges.append(left)
        assert alpha[20].sum() == pytest.approx(40 * 3840 / 360, abs=1)
    assert (edges[0] - edges[1]) * 360 / 3840 == pytest.approx(equirect.disparity_degrees(2.0), abs=0.01)


def test_a_panel_lies_where_it_is_asked_to_be() -> None:
    panel = equirect.panel(CANVAS, 2.0, width_deg=30, radius=3.0, azimuth_deg=20, elevation_deg=15)
    for view, eye in zip(panel.views, equirect.EYES, strict=True):
        x, y = equirect.to_pixel(
            *equirect.see_point(math.radians(20), 3 * math.tan(math.radians(15)), 3.0, eye), 3840, 1920
        )
        column, row = x - view.x, y + (1920 if eye == RIGHT else 0) - view.y
        assert np.interp(column, np.arange(view.across.size), view.across) == pytest.approx(0.5, abs=0.01)
        assert np.interp(row, np.arange(view.down.size), view.down) == pytest.approx(0.5, abs=0.01)
        middle = view.project(picture(*panel.size))[round(row), round(column)]
        assert middle == pytest.approx([127, 127, 0, 255], abs=4)


@pytest.mark.parametrize(
    ("width", "azimuth", "elevation"), [(40, 170, 0), (350, 0, 0), (30, 0, 70), (30, 0, -70)]
)
def test_a_panel_that_does_not_fit_is_refused(width: float, azimuth: float, elevation: float) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        equirect.panel(CANVAS, 2.0, width_deg=width, radius=2.0, azimuth_deg=azimuth, elevation_deg=elevation)
