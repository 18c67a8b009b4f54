from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.media.frames.colorcode import Color, parse_color
from renderkiln.media.frames.gradient import Gradient, paint_gradient
from renderkiln.media.frames.picture import halve, to_rgb, ycbcr
from renderkiln.media.frames.shape import draw_shape

CANVAS = Canvas(320, 192, Fraction(30))
BLACK, WHITE = parse_color("black"), parse_color("white")
NIGHT = ((0.0, parse_color("#0b0618")), (1.0, parse_color("#2b1055")))
SUNSET = ((0.1, parse_color("#ff3355")), (0.55, parse_color("#ffaa00")), (1.0, parse_color("#2040c0")))

GRADIENTS = {
    "down": Gradient(SUNSET),
    "right": Gradient(SUNSET, angle=90),
    "up and left": Gradient(SUNSET, angle=-45),
    "steep": Gradient(NIGHT, angle=200),
    "radial": Gradient(SUNSET, kind="radial"),
    "dark and radial": Gradient(NIGHT, kind="radial"),
}


def painted(gradient: Gradient, canvas: Canvas = CANVAS) -> Frame:
    frame = Frame(canvas)
    paint_gradient(frame, gradient)
    return frame


def truth(gradient: Gradient, canvas: Canvas = CANVAS) -> np.ndarray:
    """RGB of every pixel, 0 … 255, from the definition in CSS Images."""
    x, y = np.meshgrid(np.arange(canvas.width) + 0.5, np.arange(canvas.height) + 0.5)
    x, y = x - canvas.width / 2, y - canvas.height / 2
    if gradient.kind == "radial":
        at = np.hypot(x, y) / math.hypot(canvas.width / 2, canvas.height / 2)
    else:
        sine, cosine = math.sin(math.radians(gradient.angle)), math.cos(math.radians(gradient.angle))
        at = 0.5 + (x * sine - y * cosine) / (abs(canvas.width * sine) + abs(canvas.height * cosine))
    places = [place for place, _ in gradient.stops]
    colors = np.array([color for _, color in gradient.stops])
    return np.stack([np.interp(at, places, colors[:, c]) for c in range(3)], axis=2)


def blocks(plane: np.ndarray) -> np.ndarray:
    height, width, side = *plane.shape, 16
    means: np.ndarray = (
        plane.reshape(height // side, side, width // side, side).astype(float).mean(axis=(1, 3))
    )
    return means


@pytest.mark.parametrize("name", GRADIENTS)
def test_it_is_the_gradient_of_css(name: str) -> None:
    frame = painted(GRADIENTS[name])
    codes = ycbcr((truth(GRADIENTS[name]) / 255).astype(np.float32))
    np.testing.assert_allclose(blocks(frame.y), blocks(codes[..., 0]), atol=0.25)
    np.testing.assert_allclose(blocks(frame.u), blocks(halve(codes[..., 1])), atol=0.25)
    np.testing.assert_allclose(blocks(frame.v), blocks(halve(codes[..., 2])), atol=0.25)
    assert np.abs(to_rgb(frame) - truth(GRADIENTS[name]))[2:-2, 2:-2].max() < 6


def test_a_slow_dark_gradient_has_no_bands() -> None:
    canvas = Canvas(1280, 64, Fraction(30))
    frame = painted(Gradient(((0, parse_color("#101010")), (1, parse_color("#1a1a1a"))), angle=90), canvas)
    wanted = np.linspace(0, 10 / 255 * 219, 1281)[:-1] + 16 + 16 / 255 * 219
    columns = frame.y.astype(float).mean(axis=0)
    assert np.abs(columns - wanted).max() < 0.2, "bands would be half a code value beside it"
    mixed = [len(np.unique(frame.y[:, x : x + 8])) for x in range(0, 1280, 8)]
    assert np.mean([count > 1 for count in mixed]) > 0.95
    assert np.abs(frame.y - wanted).max() < 1.01


@given(st.floats(-720, 720))
def test_corners_have_the_colours_of_the_ends(angle: float) -> None:
    luma = painted(Gradient(((0, BLACK), (1, WHITE)), angle=angle), Canvas(64, 32, Fraction(30))).y
    corners = sorted(int(luma[y, x]) for y in (0, -1) for x in (0, -1))
    assert corners[0] <= 16 + 8
    assert corners[-1] >= 235 - 8


@pytest.mark.parametrize(
    ("angle", "first", "last"),
    [(180, (0, 160), (-1, 160)), (0, (-1, 160), (0, 160)), (90, (96, 0), (96, -1)), (-90, (96, -1), (96, 0))],
)
def test_directions(angle: float, first: tuple[int, int], last: tuple[int, int]) -> None:
    luma = painted(Gradient(((0, BLACK), (1, WHITE)), angle=angle)).y
    assert luma[first] <= 17
    assert luma[last] >= 234


def test_colours_that_change_at_once() -> None:
    stops = ((0, BLACK), (0.5, BLACK), (0.5, WHITE), (1, WHITE))
    frame = painted(Gradient(stops, angle=90))
    assert (frame.y[:, :159] == 16).all()
    assert (frame.y[:, 161:] == 235).all()
    slanted = painted(Gradient(stops, angle=60)).y
    assert ((slanted > 60) & (slanted < 190)).sum() > 100, "the edge is smooth"


def test_a_place_before_the_one_before_it_counts_as_equal() -> None:
    gradient = Gradient(((0, BLACK), (0.75, BLACK), (0.2, WHITE), (0.5, BLACK), (1, WHITE)), angle=90)
    frame = painted(gradient)
    assert (frame.y[:, :239] == 16).all()
    assert frame.y[:, 280].mean() == pytest.approx(125.5, abs=2)
    assert gradient.places == [0, 0.75, 0.75, 0.75, 1]


def test_white_and_black_are_exact_beyond_the_ends() -> None:
    frame = painted(Gradient(((0.4, BLACK), (0.6, WHITE))))
    assert (frame.y[:76] == 16).all()
    assert (frame.y[-76:] == 235).all()
    assert (frame.u == 128).all()


@pytest.mark.parametrize("name", GRADIENTS)
def test_a_shape_has_the_same_colours(name: str) -> None:
    raster = draw_shape("rectangle", CANVAS.width, CANVAS.height, fill=GRADIENTS[name])
    difference = raster.pixels[..., :3] - truth(GRADIENTS[name])
    assert np.abs(difference).max() < 1.6
    assert abs(difference.mean()) < 0.2


def test_colours_fade_out_in_a_shape() -> None:
    fading = Gradient(((0, (255, 0, 0, 255)), (1, (0, 0, 255, 0))), angle=90)
    pixels = draw_shape("rectangle", 101, 10, fill=fading).pixels
    assert pixels[5, 50].tolist() == pytest.approx([128, 0, 0, 128], abs=2)


Stops = tuple[tuple[float, Color], ...]


@pytest.mark.parametrize(
    ("stops", "kind", "angle", "words"),
    [
        ((), "linear", 0, "two colours"),
        (((0, BLACK),), "linear", 0, "two colours"),
        (((0, BLACK), (1.2, WHITE)), "linear", 0, r"not at 1\.2"),
        (((math.nan, BLACK), (1, WHITE)), "linear", 0, "not at nan"),
        (NIGHT, "linear", math.inf, "degrees"),
        (NIGHT, "conic", 0, "linear or radial"),
    ],
)
def test_what_is_no_gradient(stops: Stops, kind: str, angle: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Gradient(stops, kind, angle)  # type: ignore[arg-type]
