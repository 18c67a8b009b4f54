from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from renderkiln.media.frames.axis import Rect
from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.media.frames.sprite import Sprite

CANVAS = Canvas(96, 64, Fraction(30))
WHITE, RED = (255, 255, 255), (255, 0, 0)
RED_CODES = (62.56, 102.34, 240.0)  # BT.709, limited range
NUMBERS = st.one_of(st.floats(-200, 200), st.integers(-100, 100).map(float), st.sampled_from([-1e300, 1e300]))


def grey(y: int = 100, u: int = 128, v: int = 128) -> Frame:
    frame = Frame(CANVAS)
    frame.y[:], frame.u[:], frame.v[:] = y, u, v
    return frame


def opaque(width: int, height: int, colour: tuple[int, int, int] = WHITE) -> Sprite:
    pixels = np.full((height, width, 4), 255, np.uint8)
    pixels[..., :3] = colour
    return Sprite.from_rgba(pixels)


def disc(radius: float, side: int = 40) -> Sprite:
    """A magenta disc in the middle, its edge two pixels soft."""
    y, x = np.mgrid[0:side, 0:side] + 0.5
    alpha = np.clip(radius + 1 - np.hypot(x - side / 2, y - side / 2), 0, 2) / 2
    pixels = np.zeros((side, side, 4))
    pixels[..., 0] = pixels[..., 2] = pixels[..., 3] = 255 * alpha
    return Sprite.from_rgba(np.rint(pixels).astype(np.uint8))


def centroid(
    plane: npt.NDArray[np.uint8], ground: int, step: int, first: tuple[float, float]
) -> tuple[float, float]:
    """Where the middle of what differs from the ground lies, in luma pixels."""
    weight = np.abs(plane.astype(float) - ground)
    rows, columns = np.indices(plane.shape)
    x = (weight * (step * columns + first[0])).sum() / weight.sum()
    y = (weight * (step * rows + first[1])).sum() / weight.sum()
    return float(x), float(y)


@pytest.mark.parametrize(
    ("x", "y", "scale"), [(8, 6, 1), (8.25, 6.5, 1), (3.3, 4.7, 0.9), (5, 5, 0.6), (-20, -20, 2.5)]
)
def test_a_flat_colour_stays_what_it_is(x: float, y: float, scale: float) -> None:
    frame = grey()
    opaque(60, 48, RED).draw(frame, x, y, scale=scale)
    luma = frame.y[10:30, 12:36]
    chroma = [plane[5:15, 6:18] for plane in (frame.u, frame.v)]
    for plane, code in zip((luma, *chroma), RED_CODES, strict=True):
        assert np.abs(plane - code).max() < 1.01
        assert plane.mean() == pytest.approx(code, abs=0.05)


@pytest.mark.parametrize("x", [10.0, 10.25, 10.5, 11.0, 11.75])
def test_an_edge_between_two_pixels_covers_its_share(x: float) -> None:
    frame = grey(16)
    opaque(20, 64).draw(frame, x, 0)
    pixels = np.arange(96)
    share = np.clip(np.minimum(pixels + 1, x + 20) - np.maximum(pixels, x), 0, 1)
    assert np.abs(frame.y - (16 + 219 * share)).max() < 1.01
    assert frame.y.mean(axis=0) == pytest.approx(16 + 219 * share, abs=0.2)


@pytest.mark.parametrize(("scale", "ripple"), [(1.0, 0.02), (0.8, 0.1), (0.5, 0.02)])
def test_a_disc_glides_in_luma_and_chroma(scale: float, ripple: float) -> None:
    sprite, half = disc(12), 20 * scale
    off: list[list[float]] = []
    for x in np.arange(20, 24, 0.25):
        frame = grey(180)
        sprite.draw(frame, x, x - 6.1, scale=scale)
        there = (x + half, x - 6.1 + half)
        luma = centroid(frame.y, 180, 1, (0.5, 0.5))
        chroma = [centroid(plane, 128, 2, (0.5, 1.0)) for plane in (frame.u, frame.v)]
        off.append([seen - at for place in (luma, *chroma) for seen, at in zip(place, there, strict=True)])
    assert np.abs(off)[:, :2].max() < 0.02
    assert np.abs(off).max() < ripple, "a bilinear reduction of so few samples of chroma"
    assert np.abs(np.mean(off, axis=0)).max() < 0.02


def test_whole_even_places_are_the_limit_of_those_between() -> None:
    still, moving = grey(), grey()
    disc(14).draw(still, 10, 8)
    disc(14).draw(moving, 10 + 1e-5, 8)
    assert np.abs(still.buffer.astype(int) - moving.buffer).max() <= 1
    assert (still.buffer != moving.buffer).mean() < 0.001


def test_small_sizes_show_the_mean_and_not_every_other_pixel() -> None:
    stripes = np.zeros((128, 128, 4), np.uint8)
    stripes[..., 3] = 255
    stripes[:, ::2, :3] = 255
    sprite = Sprite.from_rgba(stripes)
    for scale in (0.5, 0.48, 0.25, 0.2):
        frame = grey()
        sprite.draw(frame, 0.3, 0.3, scale=scale)
        seen = frame.y[2:22, 2:22].astype(float)
        assert seen.mean() == pytest.approx((16 + 235) / 2, abs=1)
        assert seen.std() < 4


def test_a_picture_that_grows_does_not_turn_sharp_at_once() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (120, 120, 1), np.uint8)
    sprite = Sprite.from_rgba(np.concatenate([noise] * 3 + [np.full_like(noise, 255)], axis=2))
    contrast = []
    for scale in np.arange(0.455, 0.85, 0.01):  # at 0.5 the pixels of the smaller size fall upon the frame's
        frame = grey()
        sprite.draw(frame, 0, 0, scale=scale)
        contrast.append(frame.y[4:50, 4:50].std())
    assert np.abs(np.diff(contrast)).max() < 0.12 * np.mean(contrast)


def test_opacity_and_dither_meet_in_the_middle() -> None:
    frame = grey(100)
    opaque(96, 64, RED).draw(frame, 0, 0, opacity=0.5)
    assert frame.y.mean() == pytest.approx((100 + RED_CODES[0]) / 2, abs=0.05)
    assert frame.v[:, 1:-1].mean() == pytest.approx((128 + 240) / 2, abs=0.05)
    over = grey(100)
    opaque(96, 64, RED).draw(over, 0, 0, opacity=1.3)
    assert np.abs(over.y - RED_CODES[0]).max() < 1


def test_a_clip_cuts_between_pixels() -> None:
    frame = grey(16)
    opaque(96, 64).draw(frame, 0, 0, clip=Rect(10.25, 8, 40.5, 30))
    assert frame.y[20].mean() == pytest.approx(16 + 219 * 30.25 / 96, abs=0.1)
    assert frame.y[20, 10] == pytest.approx(16 + 219 * 0.75, abs=1)
    assert frame.y[20, 40] == pytest.approx(16 + 219 * 0.5, abs=1)
    assert set(frame.y[8:30, 11:40].ravel().tolist()) <= {235, 236}
    frame.y[8:30, 10:41] = 16
    assert (frame.y == 16).all()


@settings(max_examples=150)
@given(NUMBERS, NUMBERS, st.one_of(st.floats(0.01, 3), st.sampled_from([-1.0, 0.0, 1e-300, 1.0, 1e9, 1e300])))
@example(-13.0, 5.0, 1.0)
@example(90.0, 62.0, 1.0)
@example(95.5, 63.5, 1.0)
def test_nothing_beside_it_changes(x: float, y: float, scale: float) -> None:
    frame = grey(101, 77, 201)
    opaque(13, 7, RED).draw(frame, x, y, scale=scale)
    rows, columns = np.nonzero(frame.y != 101)
    blur = max(scale, 1)  # an edge fades within a pixel of the larger of the two
    if rows.size:
        assert scale > 0
        assert x - blur <= columns.min() + 1
        assert columns.max() <= x + 13 * scale + blur
        assert y - blur <= rows.min() + 1
        assert rows.max() <= y + 7 * scale + blur
    assert np.abs(frame.y.astype(float) - (62.5 + 101) / 2).max() <= (101 - 62.5) / 2 + 0.51, "no wrap"
    assert frame.v.min() >= 201


@settings(max_examples=50)
@given(NUMBERS, NUMBERS, st.floats(0.1, 2), st.tuples(*[st.floats(-200, 200)] * 4))
def test_nothing_beside_a_clip_changes(x: float, y: float, scale: float, edges: tuple[float, ...]) -> None:
    frame, clip = grey(), Rect(*edges)
    opaque(150, 100).draw(frame, x, y, scale=scale, clip=clip)
    rows, columns = np.nonzero(frame.y != 100)
    if rows.size:
        assert math.floor(clip.left) <= columns.min() <= columns.max() < clip.right
        assert math.floor(clip.top) <= rows.min() <= rows.max() < clip.bottom


def test_what_is_clear_leaves_every_bit() -> None:
    random = np.random.default_rng(1).integers(0, 256, CANVAS.frame_bytes, np.uint8)
    clear = Sprite.from_rgba(np.zeros((50, 70, 4), np.uint8))
    for x, y, scale in ((4, 4, 1.0), (4.3, 4.6, 1.0), (4.3, 4.6, 0.6)):
        frame = Frame(CANVAS, random.copy())
        clear.draw(frame, x, y, scale=scale)
        assert np.array_equal(frame.buffer, random)


@pytest.mark.parametrize("name", ["x", "y", "scale", "opacity"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_none_are_refused(name: str, value: float) -> None:
    numbers = {"x": 0.0, "y": 0.0, "scale": 1.0, "opacity": 1.0, name: value}
    with pytest.raises(ValueError, match=str(value)):
        opaque(4, 4).draw(
            grey(), numbers["x"], numbers["y"], scale=numbers["scale"], opacity=numbers["opacity"]
        )
    with pytest.raises(ValueError, match="nan"):
        opaque(4, 4).draw(grey(), 0, 0, clip=Rect(0, math.nan, 1, 1))


@pytest.mark.parametrize("shape", [(4, 4, 3), (4, 4), (0, 4, 4)])
def test_pictures_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected uint8 of shape"):
        Sprite.from_rgba(np.zeros(shape, np.uint8))
