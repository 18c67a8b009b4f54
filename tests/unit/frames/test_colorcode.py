from __future__ import annotations

from fractions import Fraction
from itertools import product

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from hypothesis import given
from hypothesis import strategies as st

from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.media.frames.colorcode import (
    WORST,
    Color,
    code_values,
    fill,
    nearest_codes,
    over_black,
    parse_color,
)
from renderkiln.media.frames.picture import OFFSET, SCALE, YCBCR_TO_RGB, to_rgb

CANVAS = Canvas(16, 16, Fraction(30))
CORNERS = list(product((0, 1, 127, 128, 254, 255), repeat=3))
COLORS = [*CORNERS, *np.random.default_rng(4).integers(0, 256, (400, 3)).tolist()]
EXACT = Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND | Interpolation.BITEXACT


@pytest.mark.parametrize(
    ("text", "color"),
    [
        ("#f80", (255, 136, 0, 255)),
        ("#FF8800", (255, 136, 0, 255)),
        ("#ff880040", (255, 136, 0, 64)),
        ("white", (255, 255, 255, 255)),
        ("black", (0, 0, 0, 255)),
        ("transparent", (0, 0, 0, 0)),
    ],
)
def test_names_of_colours(text: str, color: Color) -> None:
    assert parse_color(text) == color


@pytest.mark.parametrize(
    "text", ["", "#", "#ff", "#ffff", "#fffff", "#gggggg", "#fff\n", "red", "White", "٣" * 6]
)
def test_what_is_no_colour(text: str) -> None:
    with pytest.raises(ValueError, match="is not a colour"):
        parse_color(text)


@given(st.text(max_size=12) | st.text("#0123456789abcdefABCDEF", max_size=10))
def test_any_text_is_a_colour_or_refused(text: str) -> None:
    try:
        color = parse_color(text)
    except ValueError:
        return
    assert len(color) == 4
    assert all(0 <= value <= 255 for value in color)


def test_known_code_values() -> None:
    assert code_values((255, 255, 255, 255)) == pytest.approx((235, 128, 128))
    assert code_values((0, 0, 0, 255)) == pytest.approx((16, 128, 128))
    assert code_values((255, 0, 0, 255)) == pytest.approx((16 + 219 * 0.2126, 102.336, 240), abs=1e-3)


def test_whole_codes_come_back_as_the_colour() -> None:
    codes = np.array([nearest_codes((*color, 255)) for color in COLORS])
    back = np.clip((codes - OFFSET) @ (YCBCR_TO_RGB / SCALE * 255).T, 0, 255)
    assert np.abs(back - COLORS).max() <= WORST
    assert codes.min() >= 16
    assert (codes.max(axis=0) <= [235, 240, 240]).all()


def test_greys_have_no_colour() -> None:
    assert {nearest_codes((grey, grey, grey, 255))[1:] for grey in range(256)} == {(128, 128)}


def test_a_filled_frame_has_the_colour_for_every_decoder() -> None:
    frame = Frame(CANVAS)
    for color in COLORS:
        fill(frame, (*color, 255))
        assert np.abs(to_rgb(frame).astype(int) - color).max() <= 1
        assert np.abs(ffmpeg_rgb(frame).astype(int) - color).max() <= 1


def test_translucent_colours_lie_over_black() -> None:
    frame = Frame(CANVAS)
    fill(frame, (255, 255, 255, 128))
    assert (to_rgb(frame) == 128).all()
    assert over_black((10, 20, 30, 0)) == (0, 0, 0, 255)


def ffmpeg_rgb(frame: Frame) -> np.ndarray:
    height, width = frame.y.shape
    film = av.VideoFrame.from_ndarray(frame.buffer.reshape(height * 3 // 2, width), format="yuv420p")
    return film.reformat(
        format="rgb24",
        src_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.MPEG,
        interpolation=EXACT,
    ).to_ndarray()
