from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from renderkiln.media.frames.canvas import Canvas
from renderkiln.media.frames.picture import from_rgb, to_rgb

CANVAS = Canvas(32, 16, Fraction(30))

# BT.709, limited range, 8 bits: the colour bars of ITU-R BT.709 / SMPTE RP 219.
CODES = {
    (255, 255, 255): (235, 128, 128),
    (0, 0, 0): (16, 128, 128),
    (255, 255, 0): (219, 16, 138),
    (0, 255, 255): (188, 154, 16),
    (0, 255, 0): (173, 42, 26),
    (255, 0, 255): (78, 214, 230),
    (255, 0, 0): (63, 102, 240),
    (0, 0, 255): (32, 240, 118),
}


@pytest.mark.parametrize(("colour", "codes"), CODES.items())
def test_colour_bars(colour: tuple[int, int, int], codes: tuple[int, int, int]) -> None:
    frame = from_rgb(np.full((16, 32, 3), colour, np.uint8), CANVAS)
    assert {int(v) for v in np.unique(frame.y)} == {codes[0]}
    assert {int(v) for v in np.unique(frame.u)} == {codes[1]}
    assert {int(v) for v in np.unique(frame.v)} == {codes[2]}
    assert np.abs(to_rgb(frame).astype(int) - colour).max() <= 2


def test_a_smooth_picture_survives_the_round_trip() -> None:
    y, x = np.mgrid[0:16, 0:32]
    rgb = np.stack([4 * x, 8 * y, 255 - 2 * (x + y)], axis=2).astype(np.uint8)
    difference = np.abs(to_rgb(from_rgb(rgb, CANVAS)).astype(int) - rgb)
    assert difference[1:-1, 1:-2].max() <= 3
    assert difference.max() <= 9, "chroma has no neighbours at the edges"


def test_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="32x16"):
        from_rgb(np.zeros((16, 16, 3), np.uint8), CANVAS)
