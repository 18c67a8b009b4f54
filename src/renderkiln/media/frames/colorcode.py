"""Colours: from their names to the code values of a frame."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import product

import numpy as np

from renderkiln.media.frames.canvas import Frame
from renderkiln.media.frames.picture import OFFSET, RGB_TO_YCBCR, SCALE, YCBCR_TO_RGB

Color = tuple[int, int, int, int]  # sRGB with straight alpha, each 0 … 255

BLACK: Color = (0, 0, 0, 255)
NAMED: dict[str, Color] = {"white": (255, 255, 255, 255), "black": BLACK, "transparent": (0, 0, 0, 0)}

LEAST, MOST = (16, 16, 16), (235, 240, 240)  # Y, Cb, Cr
WORST = 1.1

_HEX = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})")
_CODES_TO_RGB = (YCBCR_TO_RGB / SCALE * 255).T


def parse_color(text: str) -> Color:
    """The colour of "#rgb", "#rrggbb", "#rrggbbaa", "white", "black" or "transparent".

    Raises `ValueError` for anything else.
    """
    if text in NAMED:
        return NAMED[text]
    if _HEX.fullmatch(text) is None:
        forms = "#rgb, #rrggbb, #rrggbbaa, white, black or transparent"
        raise ValueError(f"{text[:40]!a} is not a colour: write it as {forms}")
    digits = text[1:] if len(text) > 4 else "".join(digit * 2 for digit in text[1:])
    red, green, blue, *alpha = bytes.fromhex(digits)
    return red, green, blue, alpha[0] if alpha else 255


def over_black(color: Color) -> Color:
    """What is seen of a translucent colour where nothing is behind it."""
    red, green, blue, alpha = color
    return round(red * alpha / 255), round(green * alpha / 255), round(blue * alpha / 255), 255


def code_values(color: Color) -> tuple[float, float, float]:
    """Y, Cb and Cr of an opaque colour, limited range (Y 16 … 235, Cb and Cr 16 … 240); alpha is ignored."""
    y, cb, cr = (np.array(color[:3]) / 255) @ (RGB_TO_YCBCR.T * SCALE) + OFFSET
    return float(y), float(cb), float(cr)


@lru_cache(maxsize=1024)
def nearest_codes(color: Color) -> tuple[int, int, int]:
    """The whole Y, Cb and Cr that come back nearest to an opaque colour: within WORST of each of R, G, B.

    Alpha is ignored. Rounded one by one, codes are up to 1.7 beside the colour: errors of luma and chroma add
    up. So all eight neighbours are tried. Dither would be right on average, but wrong by 3 in single pixels.
    """
    floor = np.floor(np.array(code_values(color)) + 1e-9)  # white is 235, not 234.999
    neighbours = np.clip(np.array(list(product((0, 1), repeat=3))) + floor, LEAST, MOST)
    errors = np.clip((neighbours - OFFSET) @ _CODES_TO_RGB, 0, 255) - np.array(color[:3])
    order = np.lexsort(((errors**2).sum(axis=1), np.abs(errors).max(axis=1)))
    y, cb, cr = (int(code) for code in neighbours[order[0]])
    return y, cb, cr


def fill(frame: Frame, color: Color) -> None:
    """Make the whole frame one colour, as near as code values can be; a translucent one lies over black."""
    y, cb, cr = nearest_codes(over_black(color))
    frame.y[:], frame.u[:], frame.v[:] = y, cb, cr
