"""A small picture of a frame has the frame's colours."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.media.frames.glimpse import glimpse

# Y, U, V of BT.709 in limited range, as ITU-R BT.709-6 has them, and the colour that they are.
COLORS = {
    "black": ((16, 128, 128), (0, 0, 0)),
    "white": ((235, 128, 128), (255, 255, 255)),
    "red": ((63, 102, 240), (255, 0, 0)),
    "green": ((173, 42, 26), (0, 255, 0)),
    "blue": ((32, 240, 118), (0, 0, 255)),
}


def frame(width: int, height: int, yuv: tuple[int, int, int]) -> Frame:
    made = Frame(Canvas(width, height, Fraction(30)))
    made.y[:], made.u[:], made.v[:] = yuv
    return made


@pytest.mark.parametrize("color", COLORS)
@pytest.mark.parametrize("size", [(1920, 1080), (640, 360), (3840, 3840), (322, 182)])
def test_colours_are_the_frames(color: str, size: tuple[int, int]) -> None:
    yuv, rgb = COLORS[color]
    seen = glimpse(frame(*size, yuv))
    assert seen.dtype == np.uint8
    assert np.abs(seen.astype(int) - rgb).max() <= 2
    assert 160 <= seen.shape[1] <= 700
    assert seen.shape[1] / seen.shape[0] == pytest.approx(size[0] / size[1], rel=0.03)


def test_what_is_left_stays_left() -> None:
    made = frame(1280, 720, (16, 128, 128))
    made.y[:, :640] = 235
    seen = glimpse(made)
    half = seen.shape[1] // 2
    assert seen[:, : half - 1].min() > 250
    assert seen[:, half + 1 :].max() < 5
