"""Slow drifts over pictures."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderkiln.media.frames.axis import Rect
from renderkiln.pipelines.scenes.document.layers import ImageLayer
from renderkiln.pipelines.scenes.document.motion import DriftName, KenBurns, View
from renderkiln.pipelines.scenes.drawing.drift import enlarged, view_at

VIEWS = st.builds(View, zoom=st.floats(1, 4), x=st.floats(0, 1), y=st.floats(0, 1))


def named(name: Any) -> KenBurns:
    drift = ImageLayer.model_validate({"type": "image", "file": "x", "ken_burns": name}).ken_burns
    assert drift is not None
    return drift


@given(VIEWS, VIEWS, st.floats(0, 1))
def test_a_view_is_always_within_the_picture(start: View, end: View, progress: float) -> None:
    view = view_at(KenBurns(start=start, end=end), progress, 320, 180)
    assert view.left >= -1e-9
    assert view.top >= -1e-9
    assert view.right <= 320 + 1e-9
    assert view.bottom <= 180 + 1e-9
    assert (view.right - view.left) / (view.bottom - view.top) == pytest.approx(320 / 180)


def test_it_goes_from_one_view_to_the_other() -> None:
    drift = KenBurns(start=View(), end=View(zoom=4, x=1, y=0), easing="linear")
    assert view_at(drift, 0, 320, 180) == Rect(0, 0, 320, 180)
    assert view_at(drift, 1, 320, 180) == Rect(240, 0, 320, 45)
    half = view_at(drift, 0.5, 320, 180)
    assert half.right - half.left == pytest.approx(160)  # by the same factor in each half


@pytest.mark.parametrize(("name", "first", "last"), [
    ("in", (0, 0), (1 - 1 / 1.15, 1 - 1 / 1.15)), ("out", (1 - 1 / 1.15, 1 - 1 / 1.15), (0, 0)),
])  # fmt: skip
def test_zooms_keep_the_middle(name: DriftName, first: tuple[float, ...], last: tuple[float, ...]) -> None:
    for progress, margins in ((0, first), (1, last)):
        view = view_at(named(name), progress, 1000, 1000)
        assert (view.left + 1000 - view.right, view.top + 1000 - view.bottom) == pytest.approx(
            (1000 * margins[0], 1000 * margins[1])
        )
        assert view.left == pytest.approx(1000 - view.right)


@pytest.mark.parametrize(("name", "x", "y"), [
    ("left", -1, 0), ("right", 1, 0), ("up", 0, -1), ("down", 0, 1),
])  # fmt: skip
def test_the_view_moves_where_it_is_said_to(name: DriftName, x: int, y: int) -> None:
    first, last = (view_at(named(name), progress, 1000, 1000) for progress in (0, 1))
    way = 1000 - 1000 / 1.15
    assert (last.left - first.left, last.top - first.top) == pytest.approx((x * way, y * way))


@given(VIEWS, VIEWS)
def test_what_is_kept_of_a_picture_is_neither_too_little_nor_too_much(start: View, end: View) -> None:
    kept = enlarged(KenBurns(start=start, end=end))
    assert 1 <= kept <= 3
    assert kept <= max(start.zoom, end.zoom)
    assert kept / min(start.zoom, end.zoom) <= 2  # a reduction to less than half leaves pixels out


def test_all_names_are_drifts() -> None:
    assert all(named(name) != named("in") or name == "in" for name in get_args(DriftName))
