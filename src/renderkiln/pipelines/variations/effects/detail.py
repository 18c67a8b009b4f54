"""Effects on fine detail. They are given for a picture of 1080 lines and follow the shorter side."""

from __future__ import annotations

from renderkiln.pipelines.variations.effect import Effect, Picture

_LINES = 1080
_UNIT = 10_000  # `convolution` takes whole numbers


def _sharpen(percent: float, picture: Picture) -> str:
    """Luma less a part of its Laplacian, taken at such a distance that it means the same at any size.

    Half the cost of `unsharp`. A small picture is sharpened less: its pixels are already coarse.
    """
    distance = min(3, max(1, round(_scale(picture))))
    part = max(1, round(percent / 100 * (_scale(picture) / distance) ** 2 * _UNIT))
    size = 2 * distance + 1
    matrix = [0] * size**2
    centre = size**2 // 2
    for neighbour in (-distance * size, -distance, distance, distance * size):
        matrix[centre + neighbour] = -part
    matrix[centre] = _UNIT + 4 * part
    return f"convolution=0m={'|'.join(map(str, matrix))}:0rdiv={1 / _UNIT}"


def _blur(sigma: float, picture: Picture) -> str:
    """Luma only: the eye sees no difference of a pixel in chroma, and it costs a third."""
    return f"gblur=sigma={sigma * _scale(picture):.4f}:planes=1"


def _grain(strength: float, picture: Picture) -> str:
    """New noise in each frame, the same in each render."""
    return f"noise=c0s={min(100, max(1, round(strength * _scale(picture))))}:c0f=t:c0_seed=1"


def _scale(picture: Picture) -> float:
    return min(picture.width, picture.height) / _LINES


SHARPEN = Effect(
    name="sharpen",
    summary="Sharper detail",
    unit="%",
    ladder={"subtle": (4, 6, 8), "medium": (8, 12, 16), "strong": (16, 20, 25, 30)},
    lowest=0,
    highest=100,
    step=1,
    kind="picture",
    order=90,
    cost=5.1,
    chance=0.03,
    group="focus",
    picture=_sharpen,
    words=lambda value: f"sharper {value:g} %",
)

BLUR = Effect(
    name="blur",
    summary="Softer detail: sigma in pixels of a 1080p picture",
    unit="px",
    ladder={"subtle": (0.5, 0.6), "medium": (0.6, 0.8, 1), "strong": (1, 1.2, 1.4)},
    lowest=0,
    highest=10,
    step=0.1,
    kind="picture",
    order=90,
    cost=4.8,
    chance=0.03,
    group="focus",
    picture=_blur,
    words=lambda value: f"softer {value:g} px",
)

GRAIN = Effect(
    name="grain",
    summary="Film grain",
    unit="",
    ladder={"subtle": (2, 3), "medium": (3, 4), "strong": (5, 6, 8)},
    lowest=0,
    highest=40,
    step=1,
    kind="picture",
    order=100,
    cost=7.0,  # nearly all of it in the encoder; strength 5 makes a clean film 2.7 times as large
    chance=0.02,
    picture=_grain,
    words=lambda value: f"grain {value:g}",
)
