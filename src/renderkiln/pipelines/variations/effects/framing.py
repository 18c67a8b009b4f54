"""Effects that move the picture: its size stays."""

from __future__ import annotations

import math

from renderkiln.pipelines.variations.effect import Effect, Picture


def _mirror(_value: float, _picture: Picture) -> str:
    return "hflip"


def _zoom(percent: float, picture: Picture) -> str:
    keep = 1 / (1 + percent / 100)
    across, down = _cut(picture.width, 1 - keep), _cut(picture.height, 1 - keep)
    return _window(picture, across, down, across // 2)


def _crop(percent: float, picture: Picture) -> str:
    share = abs(percent) / 100
    across, down = _cut(picture.width, share), _cut(picture.height, share)
    return _window(picture, across, down, across if percent < 0 else 0)


def _cut(side: int, share: float) -> int:
    """How many of `side` pixels go: an even number, so that chroma's grid keeps its scale."""
    return min(max(2, 2 * round(side * share / 2)), side - 2)


def _window(picture: Picture, across: int, down: int, left: int) -> str:
    """The picture without `across` columns, `left` of them at its left, and `down` rows, in its old size.

    Where a window begins on an odd pixel, its chroma lies one pixel off: `scale` is told so, else colours
    would move against the picture. Positions are in 1/256 of a pixel; 0 and 128 are those of MPEG-2.
    """
    top, width, height = down // 2, picture.width, picture.height
    return (
        f"crop={width - across}:{height - down}:{left}:{top}:exact=1,"
        f"scale={width}:{height}:flags=bicubic:out_h_chr_pos=0:out_v_chr_pos=128"
        f":in_h_chr_pos={-256 * (left % 2)}:in_v_chr_pos={128 - 256 * (top % 2)}"
    )


def _rotate(degrees: float, picture: Picture) -> str:
    """Turned clockwise about the centre, enlarged until no corner is empty.

    A width x height rectangle fits into itself turned by a when it is enlarged by cos a + (long/short) sin a.
    `perspective` is within 0.05 pixels of that; `v360` misses by 0.4 at the edges, `rotate` costs twice as
    much.
    """
    width, height = picture.width, picture.height
    angle, shape = math.radians(degrees), max(width / height, height / width)
    zoom = math.cos(angle) + shape * math.sin(abs(angle))
    cos, sin = math.cos(angle) / zoom, math.sin(angle) / zoom
    corners = []
    for number, (x, y) in enumerate([(-1, -1), (1, -1), (-1, 1), (1, 1)]):
        right, down = x * width / 2, y * height / 2
        corners.append(f"x{number}={width / 2 + right * cos + down * sin:.4f}")
        corners.append(f"y{number}={height / 2 - right * sin + down * cos:.4f}")
    return f"perspective={':'.join(corners)}:interpolation=linear"


FLIP = Effect(
    name="flip",
    summary="Mirror left and right; text is mirrored too",
    unit="",
    ladder={"subtle": (1,), "medium": (1,), "strong": (1,)},
    lowest=0,
    highest=1,
    step=1,
    kind="picture",
    order=10,
    cost=0.6,
    chance=0,
    picture=_mirror,
    words=lambda _: "mirrored",
)

ZOOM = Effect(
    name="zoom",
    summary="Enlarge about the centre",
    unit="%",
    ladder={"subtle": (1, 1.5, 2), "medium": (2, 2.5, 3, 3.5, 4), "strong": (3, 4, 5, 6)},
    lowest=0,
    highest=20,
    step=0.5,
    kind="picture",
    order=20,
    cost=1.8,
    chance=0.4,
    group="framing",
    picture=_zoom,
    words=lambda value: f"zoom {value:g} %",
)

CROP = Effect(
    name="crop",
    summary="Cut at the left (negative) or the right, keeping the shape",
    unit="%",
    ladder={
        "subtle": (-2, -1.5, -1, 1, 1.5, 2),
        "medium": (-4, -3, -2, 2, 3, 4),
        "strong": (-6, -5, -4, -3, 3, 4, 5, 6),
    },
    lowest=-20,
    highest=20,
    step=0.5,
    kind="picture",
    order=20,
    cost=1.8,
    chance=0.35,
    group="framing",
    picture=_crop,
    words=lambda value: f"{'left' if value < 0 else 'right'} cropped {abs(value):g} %",
)

ROTATE = Effect(
    name="rotate",
    summary="Turn clockwise (negative: the other way) and enlarge until no corner is empty",
    unit="°",
    ladder={
        "subtle": (-0.5, -0.25, 0.25, 0.5),
        "medium": (-1, -0.75, -0.5, 0.5, 0.75, 1),
        "strong": (-1.5, -1.25, -1, -0.75, 0.75, 1, 1.25, 1.5),
    },
    lowest=-5,
    highest=5,
    step=0.05,
    kind="picture",
    order=20,
    cost=16.0,
    chance=0.02,
    group="framing",
    picture=_rotate,
    words=lambda value: f"turned {value:+g}°",
)
