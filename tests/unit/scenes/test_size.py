"""Where lengths of a document lie in frames of every size."""

from __future__ import annotations

from fractions import Fraction
from typing import get_args

import pytest

import studios
from renderkiln.media.frames.canvas import Canvas
from renderkiln.pipelines.scenes.document.layers import Anchor, ShapeLayer
from renderkiln.pipelines.scenes.document.project import Aspect, Resolution
from renderkiln.pipelines.scenes.drawing.still import placed, room
from renderkiln.pipelines.scenes.size import Area, Ruler, canvas_of

SIZES = {
    ("1080p", "16:9"): (1920, 1080),
    ("1080p", "9:16"): (1080, 1920),
    ("1080p", "1:1"): (1080, 1080),
    ("1080p", "4:5"): (1080, 1350),
    ("720p", "16:9"): (1280, 720),
    ("720p", "9:16"): (720, 1280),
    ("720p", "1:1"): (720, 720),
    ("720p", "4:5"): (720, 900),
    ("480p", "16:9"): (854, 480),
    ("480p", "9:16"): (480, 854),
    ("480p", "1:1"): (480, 480),
    ("480p", "4:5"): (480, 600),
}
HD = Canvas(1920, 1080, Fraction(30))
PLACES = {
    "center": (0.5, 0.5), "left": (0, 0.5), "right": (1, 0.5), "top": (0.5, 0), "bottom": (0.5, 1),
    "top-left": (0, 0), "top-right": (1, 0), "bottom-left": (0, 1), "bottom-right": (1, 1),
}  # fmt: skip


def box(**fields: object) -> ShapeLayer:
    return ShapeLayer.model_validate({"type": "shape", "width": 200, "height": 100, **fields})


def corner(layer: ShapeLayer, canvas: Canvas = HD) -> tuple[float, float]:
    return placed(layer, 200, 100, studios.film({}, canvas=canvas).studio)


@pytest.mark.parametrize("resolution", get_args(Resolution))
@pytest.mark.parametrize("aspect", get_args(Aspect))
def test_frames_have_the_size_that_they_are_called_by(resolution: Resolution, aspect: Aspect) -> None:
    canvas = canvas_of(resolution, aspect, Fraction(25))
    assert (canvas.width, canvas.height, canvas.fps) == (*SIZES[resolution, aspect], Fraction(25))


@pytest.mark.parametrize("resolution", get_args(Resolution))
@pytest.mark.parametrize("aspect", get_args(Aspect))
def test_lengths_keep_their_share_of_the_shorter_side(resolution: Resolution, aspect: Aspect) -> None:
    ruler = Ruler(canvas_of(resolution, aspect, Fraction(30)))
    side = min(ruler.canvas.width, ruler.canvas.height)
    assert ruler.across(540) == ruler.down(540) == pytest.approx(side / 2)
    assert ruler.across("50%") == ruler.canvas.width / 2
    assert ruler.down("-12.5%") == -ruler.canvas.height / 8


def test_safe_margins_are_a_twentieth_of_each_side() -> None:
    ruler = Ruler(HD)
    assert ruler.area(full_bleed=True) == Area(0, 0, 1920, 1080)
    assert ruler.area(full_bleed=False) == Area(96, 54, 1824, 1026)


@pytest.mark.parametrize("anchor", get_args(Anchor))
def test_a_layer_lies_at_its_anchor(anchor: Anchor) -> None:
    across, down = PLACES[anchor]
    x, y = corner(box(anchor=anchor))
    assert (x + across * 200, y + down * 100) == (96 + across * 1728, 54 + down * 972)
    x, y = corner(box(anchor=anchor, full_bleed=True))
    assert (x + across * 200, y + down * 100) == (across * 1920, down * 1080)


@pytest.mark.parametrize("canvas", [HD, Canvas(854, 480, Fraction(30))])
def test_a_layer_is_moved_right_and_down_from_there(canvas: Canvas) -> None:
    unit = canvas.height / 1080
    at = corner(box(anchor="right"), canvas)
    moved = corner(box(anchor="right", x=-90, y="10%"), canvas)
    assert moved == pytest.approx((at[0] - 90 * unit, at[1] + canvas.height / 10))


@pytest.mark.parametrize(("fields", "left"), [
    ({"anchor": "left"}, (1728, 972)),
    ({"anchor": "left", "x": 300}, (1428, 972)),
    ({"anchor": "left", "x": -50}, (1728, 972)),
    ({"anchor": "right", "x": -300}, (1428, 972)),
    ({"anchor": "bottom", "y": -72}, (1728, 900)),
    ({"x": 100, "y": -100}, (1528, 772)),
    ({"anchor": "top-left", "full_bleed": True}, (1920, 1080)),
])  # fmt: skip
def test_there_is_room_up_to_the_edges_of_the_area(
    fields: dict[str, object], left: tuple[float, float]
) -> None:
    assert room(box(**fields), studios.film({}, canvas=HD).studio) == left
