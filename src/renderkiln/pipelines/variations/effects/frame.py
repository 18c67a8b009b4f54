"""Effects around the picture, in space and in time; drawn only when asked for."""

from __future__ import annotations

from renderkiln.pipelines.variations.effect import Effect, Picture


def _border(percent: float, picture: Picture) -> str:
    """Even widths, so that chroma ends where luma ends; half of the picture is left at least."""
    width = max(2, 2 * round(picture.height * abs(percent) / 200))
    width = min(width, 2 * (min(picture.width, picture.height) // 8))
    sides = ":".join(f"{side}={width}" for side in ("left", "right", "top", "bottom"))
    return f"fillborders={sides}:mode=fixed:color={'black' if percent < 0 else 'white'}"


def _fade(seconds: float, picture: Picture) -> str:
    """From black and to black; in a very short clip the two share its time."""
    length = min(seconds, picture.duration / 2)
    start = picture.duration - length
    return f"fade=t=in:st=0:d={length:.6f},fade=t=out:st={start:.6f}:d={length:.6f}"


BORDER = Effect(
    name="border",
    summary="A black (negative) or white border, in parts of the height",
    unit="%",
    ladder={
        "subtle": (-1.5, -1, 1, 1.5),
        "medium": (-2.5, -2, -1.5, 1.5, 2, 2.5),
        "strong": (-4, -3, 3, 4),
    },
    lowest=-10,
    highest=10,
    step=0.5,
    kind="picture",
    order=110,
    cost=0.5,
    chance=0,
    picture=_border,
    words=lambda value: f"{'black' if value < 0 else 'white'} border {abs(value):g} %",
)

FADE = Effect(
    name="fade",
    summary="Fade in from black and out to black",
    unit="s",
    ladder={"subtle": (0.3, 0.4, 0.5), "medium": (0.5, 0.75, 1), "strong": (1, 1.5, 2)},
    lowest=0,
    highest=10,
    step=0.05,
    kind="picture",
    order=120,
    cost=0.5,
    chance=0,
    picture=_fade,
    words=lambda value: f"fade {value:g} s",
)
