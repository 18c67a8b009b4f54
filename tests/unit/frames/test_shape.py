from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from renderkiln.media.frames.colorcode import Color
from renderkiln.media.frames.gradient import Gradient
from renderkiln.media.frames.shape import LINE_WIDTH, Raster, Shadow, Stroke, draw_shape

RED: Color = (255, 0, 0, 255)
BLUE: Color = (0, 0, 255, 255)
NIGHT: Color = (0, 0, 0, 255)
FADE = Gradient(((0, RED), (1, BLUE)), angle=90)


SOFT = 0.16  # pixels that Skia's antialiased edges lie inside the true ones


def area(raster: Raster) -> float:
    """Covered pixels."""
    return float(raster.pixels[..., 3].sum() / 255)


def centroid(raster: Raster) -> tuple[float, float]:
    """The middle of what is covered, in the coordinates of the box."""
    alpha = raster.pixels[..., 3].astype(float)
    y, x = np.mgrid[0 : alpha.shape[0], 0 : alpha.shape[1]] + 0.5
    return (
        float((alpha * x).sum() / alpha.sum()) + raster.left,
        float((alpha * y).sum() / alpha.sum()) + raster.top,
    )


def at(raster: Raster, x: int, y: int) -> list[int]:
    """The pixel at a place of the box."""
    pixel: list[int] = raster.pixels[y - raster.top, x - raster.left].tolist()
    return pixel


def test_edges_lie_where_they_were_asked_for() -> None:
    raster = draw_shape("rectangle", 10.5, 4.25, fill=RED)
    alpha = raster.pixels[..., 3].astype(int)
    assert (raster.left, raster.top, alpha.shape) == (0, 0, (5, 11))
    assert (alpha[:4, :10] == 255).all()
    assert alpha[0, 10] == pytest.approx(128, abs=2)
    assert alpha[4, 0] == pytest.approx(64, abs=2)
    assert at(raster, 0, 0) == [255, 0, 0, 255]


def test_pixels_are_premultiplied() -> None:
    assert at(draw_shape("rectangle", 4, 4, fill=(255, 128, 0, 128)), 1, 1) == [128, 64, 0, 128]


@pytest.mark.parametrize(
    ("radius", "measured"), [(0, 0), (8, 8), (20, 20), (37.5, 37.5), (50, 50), (1000, 50)]
)
def test_the_radius_of_corners(radius: float, measured: float) -> None:
    raster = draw_shape("rectangle", 200, 100, radius=radius)
    missing = 200 * 100 - area(raster)
    assert missing == pytest.approx((4 - math.pi) * measured**2, abs=SOFT * 2 * math.pi * measured)
    assert at(raster, 100, 0)[3] == 255


def test_an_ellipse() -> None:
    raster = draw_shape("ellipse", 120, 80)
    assert area(raster) == pytest.approx(math.pi * 60 * 40, abs=SOFT * math.pi * 100)
    assert centroid(raster) == pytest.approx((60, 40), abs=0.05)
    assert raster.pixels.shape == (80, 120, 4)


@pytest.mark.parametrize(("width", "height"), [(100, 0), (0, 70), (60, 80), (-60, 80), (60, -80), (-60, -80)])
def test_a_line(width: float, height: float) -> None:
    raster = draw_shape("line", width, height, stroke=Stroke(RED, 10))
    assert area(raster) == pytest.approx(10 * math.hypot(width, height) + math.pi * 25, rel=0.005)
    assert centroid(raster) == pytest.approx((abs(width) / 2, abs(height) / 2), abs=0.05)
    start = round(max(-width, 0)), round(max(-height, 0))
    assert at(raster, start[0] - (start[0] > 0), start[1] - (start[1] > 0)) == [255, 0, 0, 255]


def test_a_line_without_length_is_a_dot() -> None:
    dot = draw_shape("line", 0, 0, stroke=Stroke(RED, 20))
    assert area(dot) == pytest.approx(math.pi * 100, abs=SOFT * math.pi * 20)


def test_the_ink_of_a_line() -> None:
    assert at(draw_shape("line", 50, 0, fill=BLUE), 25, 0) == [0, 0, 255, 255]
    assert area(draw_shape("line", 50, 0)) == pytest.approx(
        50 * LINE_WIDTH + math.pi * LINE_WIDTH**2 / 4, rel=0.02
    )
    blend = draw_shape("line", 100, 0, fill=FADE, stroke=Stroke(NIGHT, 6))
    assert at(blend, 50, 0) == pytest.approx([128, 0, 128, 255], abs=3)


def test_a_stroke_is_half_outside() -> None:
    raster = draw_shape("rectangle", 40, 30, fill=RED, stroke=Stroke(BLUE, 6))
    assert (raster.left, raster.top, raster.pixels.shape) == (-3, -3, (36, 46, 4))
    row = [at(raster, x, 15) for x in range(-3, 4)]
    assert row == [[0, 0, 255, 255]] * 6 + [[255, 0, 0, 255]]
    assert at(raster, -3, -3) == [0, 0, 255, 255], "corners are sharp"


@pytest.mark.parametrize("rotation", [0, 30, 90, -200])
def test_turned_around_the_middle(rotation: float) -> None:
    raster = draw_shape("rectangle", 120, 60, radius=10, stroke=Stroke(RED, 4), rotation=rotation)
    plain = draw_shape("rectangle", 120, 60, radius=10, stroke=Stroke(RED, 4))
    assert centroid(raster) == pytest.approx((60, 30), abs=0.03)
    assert area(raster) == pytest.approx(area(plain), abs=SOFT * 360)


def test_rotation_is_clockwise() -> None:
    raster = draw_shape("rectangle", 100, 20, fill=FADE, rotation=90)
    assert (raster.left, raster.top, raster.pixels.shape) == (40, -40, (100, 20, 4))
    assert at(raster, 50, -38)[0] > 240, "what was left is above"
    assert at(raster, 50, 58)[2] > 240


@pytest.mark.parametrize("rotation", [0, 70])
def test_the_shadow_is_where_and_as_soft_as_asked(rotation: float) -> None:
    shadow = Shadow((0, 0, 0, 200), x=300, y=-40, blur=24)
    raster = draw_shape("ellipse", 100, 100, fill=RED, shadow=shadow, rotation=rotation)
    alone = Raster(raster.pixels * (raster.pixels[..., :1] == 0), raster.left, raster.top)
    assert centroid(alone) == pytest.approx((350, 10), abs=0.3)
    alpha = alone.pixels[..., 3].astype(float)
    x = np.arange(alpha.shape[1]) + 0.5 + alone.left - 350
    variance = (alpha.sum(axis=0) * x**2).sum() / alpha.sum()
    assert math.sqrt(variance - 25**2) == pytest.approx(12, rel=0.1)
    assert area(alone) == pytest.approx(math.pi * 2500 * 200 / 255, rel=0.02)


def test_a_shadow_without_blur_is_sharp() -> None:
    raster = draw_shape("rectangle", 20, 20, fill=RED, shadow=Shadow(BLUE, 5, 7, 0))
    assert raster.pixels.shape == (27, 25, 4)
    assert at(raster, 24, 26) == [0, 0, 255, 255]
    assert at(raster, 0, 26)[3] == 0


@pytest.mark.parametrize("shape", ["rectangle", "ellipse", "line"])
@pytest.mark.parametrize("rotation", [0, 33])
def test_nothing_is_cut_off(shape: Any, rotation: float) -> None:
    raster = draw_shape(
        shape, 90, 50, stroke=Stroke(RED, 9), shadow=Shadow(NIGHT, -7, 11, 40), rotation=rotation
    )
    alpha = raster.pixels[..., 3]
    rim = np.concatenate([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]])
    assert rim.max() <= 2, "three standard deviations away"
    bare = draw_shape(shape, 90, 50, stroke=Stroke(RED, 9), rotation=rotation)
    assert area(raster) > area(bare)


@pytest.mark.parametrize(
    "fill", [(255, 255, 255, 60), Gradient(((0, (9, 9, 9, 60)), (1, (255, 255, 255, 60))))]
)
def test_a_shadow_is_not_seen_through_its_shape(fill: Color | Gradient) -> None:
    glass = draw_shape("rectangle", 60, 40, fill=fill, shadow=Shadow(NIGHT, 0, 4, 12))
    bare = draw_shape("rectangle", 60, 40, fill=fill)
    inside = glass.pixels[-glass.top :, -glass.left :][1:39, 1:59]
    assert np.abs(inside.astype(int) - bare.pixels[1:39, 1:59]).max() <= 1
    assert at(glass, 30, 42)[3] > 100


def test_an_outline_casts_the_shadow_of_an_outline() -> None:
    raster = draw_shape("ellipse", 80, 80, fill=None, stroke=Stroke(RED, 4), shadow=Shadow(NIGHT, 0, 0, 4))
    assert at(raster, 40, 40)[3] == 0
    assert draw_shape("ellipse", 80, 80, fill=None, shadow=Shadow(NIGHT)).pixels.max() == 0


SIZES = st.floats(0.5, 3000) | st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -5.0, 1e300])
ANGLES = st.floats(-720, 720) | st.sampled_from([math.nan, math.inf])


@given(st.sampled_from(["rectangle", "ellipse", "line", "star"]), SIZES, SIZES, SIZES, ANGLES, st.booleans())
@example("rectangle", 1e6, 1e-6, 0.5, 45, True)
def test_any_size_is_drawn_or_refused(
    shape: Any, width: float, height: float, radius: float, rotation: float, dressed: bool
) -> None:
    try:
        raster = draw_shape(
            shape,
            width,
            height,
            fill=FADE,
            radius=radius,
            stroke=Stroke(RED, min(radius, 9)) if dressed else None,
            shadow=Shadow(NIGHT, blur=min(width, 30)) if dressed else None,
            rotation=rotation,
        )
    except ValueError:
        return
    assert raster.pixels.size > 0
    assert (raster.pixels[..., :3] <= raster.pixels[..., 3:]).all()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"width": math.nan}, "width is a number"),
        ({"width": 0}, "no rectangle is 0 x 10 pixels"),
        ({"radius": -1}, "corners of -1"),
        ({"rotation": math.inf}, "rotation is a number"),
        ({"width": 9000, "height": 9000}, "9000 x 9000 pixels are more than 32 megapixels"),
    ],
)
def test_what_is_refused(wrong: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        draw_shape("rectangle", **{"width": 10, "height": 10, **wrong})  # type: ignore[arg-type]


def test_strokes_and_shadows_that_are_refused() -> None:
    with pytest.raises(ValueError, match="wider than 0"):
        Stroke(RED, 0)
    with pytest.raises(ValueError, match="blur"):
        Shadow(RED, blur=-1)
    with pytest.raises(ValueError, match="x is a number"):
        Shadow(RED, x=math.nan)
