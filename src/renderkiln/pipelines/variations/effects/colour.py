"""Effects on colour; luma stays."""

from __future__ import annotations

from renderkiln.pipelines.variations.effect import Effect, Picture

_BLACK = 16 / 239  # luma above which colour may change, as a share of what is above black
_ROUND = 0.5 / 255  # `colorcorrect` cuts off fractions


def _saturation(percent: float, _picture: Picture) -> str:
    return f"hue=s={1 + percent / 100:.4f}"


def _hue(degrees: float, _picture: Picture) -> str:
    return f"hue=h={degrees:g}"


def _warmth(percent: float, _picture: Picture) -> str:
    """Red up and blue down, in proportion to luma above black, so that black stays neutral."""
    light = percent / 100
    red, blue = _ROUND - light * _BLACK, _ROUND + light * _BLACK
    return f"colorcorrect=rh={_ROUND + light:.6f}:bh={_ROUND - light:.6f}:rl={red:.6f}:bl={blue:.6f}"


SATURATION = Effect(
    name="saturation",
    summary="Stronger colours, or weaker (negative)",
    unit="%",
    ladder={
        "subtle": (-8, -5, 5, 8),
        "medium": (-15, -12, -9, 9, 12, 15),
        "strong": (-30, -25, -20, 20, 25, 30),
    },
    lowest=-100,
    highest=100,
    step=1,
    kind="picture",
    order=50,
    cost=1.0,
    chance=0.35,
    picture=_saturation,
    words=lambda value: f"saturation {value:+g} %",
)

HUE = Effect(
    name="hue",
    summary="Turn all hues",
    unit="°",
    ladder={
        "subtle": (-3, -2, 2, 3),
        "medium": (-5, -4, -3, 3, 4, 5),
        "strong": (-8, -7, -6, -5, 5, 6, 7, 8),
    },
    lowest=-180,
    highest=180,
    step=0.5,
    kind="picture",
    order=60,
    cost=1.0,
    chance=0.35,
    picture=_hue,
    words=lambda value: f"hue {value:+g}°",
)

WARMTH = Effect(
    name="warmth",
    summary="Warmer light, or cooler (negative)",
    unit="%",
    ladder={
        "subtle": (-1, -0.75, 0.75, 1),
        "medium": (-2, -1.5, -1, 1, 1.5, 2),
        "strong": (-4, -3, -2, 2, 3, 4),
    },
    lowest=-10,
    highest=10,
    step=0.25,
    kind="picture",
    order=70,
    cost=1.6,
    chance=0.3,
    picture=_warmth,
    words=lambda value: f"{'warmer' if value > 0 else 'cooler'} {abs(value):g} %",
)
