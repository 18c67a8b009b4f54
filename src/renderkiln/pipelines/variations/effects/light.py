"""Effects on how light the picture is, and where."""

from __future__ import annotations

import math

from renderkiln.pipelines.variations.effect import Effect, Picture

_BLACK, _WHITE = 16 / 255, 235 / 255  # of limited range
_EXACT = "gamma=1.00001"  # makes `eq` use a table: its fast path moves black by up to 3 code values


def _exposure(stops: float, _picture: Picture) -> str:
    """A gain of 2^(stops/2.2) on gamma-encoded R, G, B, and so on luma above black and on chroma."""
    gain = 2 ** (stops / 2.2)
    return f"{_luma(gain, _BLACK)},hue=s={gain:.5f}"


def _contrast(percent: float, _picture: Picture) -> str:
    """Luma about middle grey."""
    return _luma(1 + percent / 100, (_BLACK + _WHITE) / 2)


def _luma(slope: float, pivot: float) -> str:
    """A straight line through `pivot`, which stays; `eq` itself turns about half of full range."""
    return f"eq=contrast={slope:.5f}:brightness={(pivot - 0.5) * (1 - slope):.6f}:{_EXACT}"


def _vignette(percent: float, _picture: Picture) -> str:
    """Corners darker by `percent`: the filter's natural fall-off is cos^4 of the angle."""
    return f"vignette=angle={math.acos((1 - percent / 100) ** 0.25):.5f}"


EXPOSURE = Effect(
    name="exposure",
    summary="Brighter, or darker (negative), in stops",
    unit="EV",
    ladder={
        "subtle": (-0.15, -0.1, 0.1, 0.15),
        "medium": (-0.3, -0.2, -0.15, 0.15, 0.2, 0.3),
        "strong": (-0.5, -0.4, -0.3, 0.3, 0.4, 0.5),
    },
    lowest=-1,
    highest=1,
    step=0.05,
    kind="picture",
    order=30,
    cost=1.8,
    chance=0.3,
    picture=_exposure,
    words=lambda value: f"{'brighter' if value > 0 else 'darker'} {abs(value):g} EV",
)

CONTRAST = Effect(
    name="contrast",
    summary="More contrast, or less (negative)",
    unit="%",
    ladder={
        "subtle": (-4, -2, 2, 4),
        "medium": (-8, -6, -4, 4, 6, 8),
        "strong": (-15, -12, -9, 9, 12, 15),
    },
    lowest=-50,
    highest=50,
    step=1,
    kind="picture",
    order=40,
    cost=1.2,
    chance=0.35,
    picture=_contrast,
    words=lambda value: f"contrast {value:+g} %",
)

VIGNETTE = Effect(
    name="vignette",
    summary="Darker towards the corners",
    unit="%",
    ladder={"subtle": (10, 15), "medium": (15, 20, 25), "strong": (25, 30, 35, 40)},
    lowest=0,
    highest=80,
    step=1,
    kind="picture",
    order=80,
    cost=8.5,
    chance=0.02,
    picture=_vignette,
    words=lambda value: f"vignette {value:g} %",
)
