from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from renderkiln.media.frames.axis import Rect
from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.media.frames.window import Mask, draw_window

CANVAS = Canvas(96, 64, Fraction(30))
SOURCE = Canvas(128, 80, Fraction(30))
EDGES = st.tuples(*[st.one_of(st.floats(-300, 300), st.sampled_from([0.0, 8.0, 1e-300, 1e9, -1e9]))] * 4)


def flat(canvas: Canvas, y: int, u: int = 128, v: int = 128) -> Frame:
    frame = Frame(canvas)
    frame.y[:], frame.u[:], frame.v[:] = y, u, v
    return frame


def ramp() -> Frame:
    """Luma rises by 1.5 a pixel to the right, Cb by 1.5 as well, Cr by 2 a pixel downwards."""
    frame = Frame(SOURCE)
    frame.y[:] = np.rint(20 + 1.5 * (np.arange(128) + 0.5))
    frame.u[:] = np.rint(20 + 1.5 * (2 * np.arange(64) + 0.5))
    frame.v[:] = np.rint(30 + 2 * (2 * np.arange(40) + 1.0))[:, None]
    return frame


VIEWS = [
    (Rect(0, 0, 96, 64), Rect(0, 0, 96, 64)),
    (Rect(10, 6, 106, 70), Rect(0, 0, 96, 64)),
    (Rect(10.3, 6.8, 100.3, 66.8), Rect(0, 0, 96, 64)),
    (Rect(20, 10, 80, 50), Rect(7.5, 3.25, 88.25, 60)),
    (Rect(0, 0, 128, 80), Rect(-10.2, -8.1, 99.7, 70)),
    (Rect(5, 5, 120, 75), Rect(10, 10, 78, 52)),
]


@pytest.mark.parametrize(("view", "place"), VIEWS)
def test_a_ramp_is_seen_where_it_belongs(view: Rect, place: Rect) -> None:
    frame = flat(CANVAS, 16)
    draw_window(ramp(), frame, view=view, place=place)
    across = (view.right - view.left) / (place.right - place.left)
    down = (view.bottom - view.top) / (place.bottom - place.top)
    x = view.left + (np.arange(96) + 0.5 - place.left) * across
    u = view.left + (2 * np.arange(48) + 0.5 - place.left) * across
    v = view.top + (2 * np.arange(32) + 1 - place.top) * down
    left, right = max(math.ceil(place.left) + 2, 2), min(math.floor(place.right) - 2, 94)
    top, bottom = max(math.ceil(place.top) + 2, 2), min(math.floor(place.bottom) - 2, 62)
    inner = slice(left // 2 + 1, right // 2)
    middle = (top + bottom) // 2
    assert np.abs(frame.y[middle, left:right] - (20 + 1.5 * x[left:right])).max() < 1.01
    assert np.abs(frame.u[middle // 2, inner] - (20 + 1.5 * u[inner])).max() < 1.01
    inner = slice(top // 2 + 1, bottom // 2)
    assert np.abs(frame.v[inner, (left + right) // 4] - (30 + 2 * v[inner])).max() < 1.01


@pytest.mark.parametrize(("left", "top"), [(0, 0), (10, 6), (32, 16), (-12, -4)])
def test_one_to_one_at_even_places_is_a_copy(left: int, top: int) -> None:
    source = Frame(SOURCE, np.random.default_rng(5).integers(16, 236, SOURCE.frame_bytes, np.uint8))
    frame = flat(CANVAS, 16)
    draw_window(source, frame, view=Rect(0, 0, 128, 80), place=Rect(-left, -top, 128 - left, 80 - top))
    x, y = max(-left, 0), max(-top, 0)
    seen = source.y[max(top, 0) : top + 64, max(left, 0) : left + 96]
    assert np.array_equal(frame.y[y : y + seen.shape[0], x:], seen)
    seen = source.v[max(top, 0) // 2 : top // 2 + 32, max(left, 0) // 2 : left // 2 + 48]
    # The first column of chroma lies half on what is beside the place.
    assert np.array_equal(frame.v[y // 2 : y // 2 + seen.shape[0], x // 2 + (x > 0) :], seen[:, int(x > 0) :])


@pytest.mark.parametrize(("width", "height"), [(2, 2), (2, 80), (128, 2)])
def test_a_source_as_small_as_can_be(width: int, height: int) -> None:
    """Of one sample of chroma there is none after it, and kernels do not look before they read."""
    frame = flat(CANVAS, 16)
    source = flat(Canvas(width, height, Fraction(30)), 200, 90, 160)
    draw_window(source, frame, view=Rect(0.3, 0.1, width, height), place=Rect(-20.5, -10, 90, 70))
    assert (frame.y[:, :88] == 200).all()
    assert (frame.u[:, :44] == 90).all()
    assert (frame.v[:, :44] == 160).all()


def test_a_slow_drift_never_jerks() -> None:
    y, x = np.mgrid[0:80, 0:128]
    source = flat(SOURCE, 16)
    source.y[:] = np.rint(60 + 150 * np.exp(-((x + 0.5 - 60) ** 2 + (y + 0.5 - 40) ** 2) / 150))
    places = []
    for moved in np.arange(0, 3, 0.05):
        frame = flat(CANVAS, 60)
        draw_window(source, frame, view=Rect(10 + moved, 5, 100 + moved, 65), place=Rect(0, 0, 96, 64))
        weight = frame.y.astype(float) - 60
        places.append((weight.sum(axis=0) * (np.arange(96) + 0.5)).sum() / weight.sum())
    wanted = (60 - 10 - np.arange(0, 3, 0.05)) * 96 / 90
    assert np.abs(np.array(places) - wanted).max() < 0.02


@pytest.mark.parametrize("opacity", [1.0, 0.5, 0.013])
def test_flat_on_flat_is_their_mean(opacity: float) -> None:
    frame = flat(CANVAS, 40, 60, 200)
    draw_window(
        flat(SOURCE, 200, 160, 90), frame, view=Rect(3, 3, 90, 70), place=Rect(0, 0, 96, 64), opacity=opacity
    )
    for plane, under, over in ((frame.y, 40, 200), (frame.u, 60, 160), (frame.v, 200, 90)):
        assert np.abs(plane - (under + (over - under) * opacity)).max() <= 0.501


def test_edges_between_pixels_are_smooth() -> None:
    frame = flat(CANVAS, 16)
    draw_window(flat(SOURCE, 235), frame, view=Rect(0, 0, 50, 50), place=Rect(10.25, 8.5, 40.75, 50))
    assert [int(frame.y[20, i]) for i in (9, 10, 11, 39, 40, 41)] == [16, 180, 235, 235, 180, 16]
    assert [int(frame.y[i, 20]) for i in (7, 8, 9, 49, 50)] == [16, 126, 235, 235, 16]
    assert (frame.y.astype(float) - 16).sum() / 219 == pytest.approx(30.5 * 41.5, rel=0.002)


@pytest.mark.parametrize("place", [Rect(20, 10, 60, 40), Rect(20.5, 10.5, 60.5, 40.5), Rect(10, 10, 90, 60)])
def test_a_mask_moves_and_grows_with_its_place(place: Rect) -> None:
    y, x = np.mgrid[0:30, 0:40] + 0.5
    alpha = 255 * np.clip(12.5 - np.hypot(x - 20, y - 15), 0, 1)
    frame = flat(CANVAS, 16)
    mask = Mask.from_alpha(np.rint(alpha).astype(np.uint8))
    draw_window(flat(SOURCE, 235, 200, 60), frame, view=Rect(0, 0, 90, 70), place=place, mask=mask)
    size = (place.right - place.left) * (place.bottom - place.top) / 1200
    for plane, under, over, step in ((frame.y, 16, 235, 1), (frame.u, 128, 200, 2), (frame.v, 128, 60, 2)):
        share = (plane.astype(float) - under) / (over - under)
        assert share.sum() * step**2 == pytest.approx(alpha.sum() / 255 * size, rel=0.01)
        centre = (share.sum(axis=0) * (step * np.arange(share.shape[1]) + 0.5)).sum() / share.sum()
        assert centre == pytest.approx((place.left + place.right) / 2, abs=0.02)


@settings(max_examples=200)
@given(EDGES, EDGES, st.booleans(), st.floats(-1, 2))
def test_nothing_beside_the_place_changes(
    view: tuple[float, ...], place: tuple[float, ...], masked: bool, opacity: float
) -> None:
    frame, window = flat(CANVAS, 100, 90, 80), Rect(*place)
    mask = Mask.from_alpha(np.full((1, 1), 255, np.uint8)) if masked else None
    if view[0] >= view[2] or view[1] >= view[3]:
        with pytest.raises(ValueError, match="nothing between its edges"):
            draw_window(ramp(), frame, view=Rect(*view), place=window, mask=mask, opacity=opacity)
        return
    draw_window(ramp(), frame, view=Rect(*view), place=window, mask=mask, opacity=opacity)
    rows, columns = np.nonzero(frame.y != 100)
    if rows.size:
        assert opacity > 0
        assert math.floor(window.left) <= columns.min() <= columns.max() < window.right
        assert math.floor(window.top) <= rows.min() <= rows.max() < window.bottom


def test_what_makes_no_sense_is_refused() -> None:
    frame, whole = flat(CANVAS, 16), Rect(0, 0, 96, 64)
    with pytest.raises(ValueError, match="not all are numbers"):
        draw_window(ramp(), frame, view=Rect(0, 0, math.nan, 9), place=whole)
    with pytest.raises(ValueError, match="not all are numbers"):
        draw_window(ramp(), frame, view=whole, place=Rect(0, 0, math.inf, 9))
    with pytest.raises(ValueError, match="shown in itself"):
        draw_window(frame, frame, view=whole, place=whole)
    with pytest.raises(ValueError, match="expected uint8 of shape"):
        Mask.from_alpha(np.zeros((4, 4, 4), np.uint8))


def test_only_what_lies_within_the_clip_is_drawn() -> None:
    whole, part = flat(CANVAS, 16), flat(CANVAS, 16)
    view, place, clip = Rect(10, 6, 106, 70), Rect(4, 4, 92, 60), Rect(20, -50, 60.5, 40)
    draw_window(ramp(), whole, view=view, place=place)
    draw_window(ramp(), part, view=view, place=place, clip=clip)
    assert (part.y[4:40, 20:60] == whole.y[4:40, 20:60]).all()
    assert (part.y[:, :20] == 16).all()
    assert (part.y[40:] == 16).all()
    assert (part.y[:, 61:] == 16).all()
    edge = (16 + whole.y[4:40, 60].astype(int)) / 2  # half of it is covered
    assert np.abs(part.y[4:40, 60] - edge).max() <= 1
