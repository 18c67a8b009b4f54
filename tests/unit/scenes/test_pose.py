"""How layers come and go: where they are in each frame of a motion."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderkiln.media.frames.axis import Rect
from renderkiln.media.frames.canvas import Canvas
from renderkiln.media.frames.easing import Easing
from renderkiln.pipelines.scenes.document.layers import ShapeLayer
from renderkiln.pipelines.scenes.document.motion import Direction
from renderkiln.pipelines.scenes.drawing.pose import Movement, Pose, Presence
from renderkiln.pipelines.scenes.size import Ruler

FPS = Fraction(10)
CANVAS = Canvas(1920, 1080, FPS)
BOUNDS = Rect(100, 200, 500, 300)
LINEAR = {"duration": 1, "easing": "linear"}
ALL = ["fade", "slide", "rise", "zoom", "wipe"]


def movement(frames: int = 40, **fields: Any) -> Movement:
    layer = ShapeLayer.model_validate({"type": "shape", "width": 400, "height": 100, **fields})
    return Movement(layer, Presence.of(layer, frames, FPS), Ruler(CANVAS), BOUNDS)


def entering(n: int, **motion: Any) -> Pose:
    pose = movement(enter={**LINEAR, **motion}).at(n)
    assert pose is not None
    return pose


@pytest.mark.parametrize(("start", "end", "frames"), [
    (0, None, (0, 40)), (1, 2, (10, 20)), (1.26, 2.34, (13, 23)), (3, 99, (30, 40)), (2, 2.01, (20, 21)),
])  # fmt: skip
def test_a_layer_is_there_between_its_times(start: float, end: float | None, frames: tuple[int, int]) -> None:
    moved = movement(start=start, end=end)
    assert [n for n in range(-5, 50) if moved.at(n) is not None] == list(range(*frames))


def test_a_fade_is_opacity() -> None:
    assert [entering(n, type="fade").opacity for n in (0, 3, 10, 11)] == pytest.approx([0, 0.3, 1, 1])
    pose = movement(opacity=0.5, enter={**LINEAR, "type": "fade"}).at(5)
    assert pose is not None
    assert pose.opacity == pytest.approx(0.25)


@pytest.mark.parametrize(("direction", "place"), [
    ("left", (-500, 0)), ("right", (1820, 0)), ("top", (0, -300)), ("bottom", (0, 880)), (None, (-500, 0)),
])  # fmt: skip
def test_a_slide_comes_from_beyond_the_frame(direction: Direction | None, place: tuple[float, float]) -> None:
    pose = entering(0, type="slide", direction=direction)
    assert (pose.x, pose.y) == place
    pose = entering(3, type="slide", direction=direction)
    assert (pose.x, pose.y) == pytest.approx((0.7 * place[0], 0.7 * place[1]))


@pytest.mark.parametrize(("direction", "place"), [
    ("left", (-108, 0)), ("right", (108, 0)), ("top", (0, -108)), ("bottom", (0, 108)), (None, (0, 108)),
])  # fmt: skip
def test_a_rise_comes_a_little_way(direction: Direction | None, place: tuple[float, float]) -> None:
    distance = "10%" if place[0] == 0 else 108
    pose = entering(5, type="rise", direction=direction, distance=distance)
    assert (pose.x, pose.y) == pytest.approx((place[0] / 2, place[1] / 2))
    assert pose.opacity == pytest.approx(0.5)


def test_a_zoom_grows_and_fades() -> None:
    pose = entering(5, type="zoom", scale=0.5)
    assert (pose.scale, pose.opacity) == pytest.approx((0.75, 0.5))


@pytest.mark.parametrize(("direction", "seen"), [
    ("left", (100, 200, 220, 300)), ("right", (380, 200, 500, 300)),
    ("top", (100, 200, 500, 230)), ("bottom", (100, 270, 500, 300)),
])  # fmt: skip
def test_a_wipe_begins_at_its_side(direction: Direction, seen: tuple[float, ...]) -> None:
    assert entering(3, type="wipe", direction=direction).clip == pytest.approx(seen)


def test_a_typewriter_writes_evenly() -> None:
    layer = {"type": "typewriter", "duration": 1, "easing": "in-cubic"}
    assert entering(3, **layer).shown == pytest.approx(0.3)


@pytest.mark.parametrize("name", ALL)
def test_a_layer_goes_as_it_came(name: str) -> None:
    motion = {"type": name, "duration": 0.7, "easing": "out-back"}
    come, gone = movement(enter=motion), movement(exit=motion)
    assert [come.at(n) for n in range(40)] == [gone.at(39 - n) for n in range(40)]


@pytest.mark.parametrize("name", ALL)
def test_both_motions_at_once_are_both_seen(name: str) -> None:
    # Where a scene is as long as its voice, nobody knew that they would meet.
    motion = {"type": name, "duration": 4, "easing": "linear"}
    pose = movement(enter=motion, exit={**motion, "type": "wipe", "direction": "right"}).at(10)
    assert pose is not None
    assert pose.clip is not None
    assert pose.clip.left == pytest.approx(500 - 400 * 29 / 40)
    if name == "wipe":
        assert pose.clip.right == pytest.approx(200)


@given(
    name=st.sampled_from(ALL),
    easing=st.sampled_from(get_args(Easing)),
    direction=st.sampled_from([*get_args(Direction), None]),
    seconds=st.floats(0, 3),
    n=st.integers(0, 39),
)
def test_at_rest_a_layer_is_where_it_is(
    name: str, easing: Easing, direction: Direction | None, seconds: float, n: int
) -> None:
    motion = {"type": name, "easing": easing, "direction": direction, "duration": seconds}
    pose = movement(enter=motion).at(n)
    assert pose is not None
    assert 0 <= pose.opacity <= 1
    if n >= max(1, round(seconds * 10)):
        assert pose == Pose()
