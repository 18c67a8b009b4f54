from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest

from renderkiln.media.frames.axis import Rect
from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.media.frames.passage import Direction, Passage, draw_passage
from renderkiln.media.frames.picture import from_rgb
from renderkiln.media.frames.sprite import Sprite
from renderkiln.media.frames.window import Mask, draw_window

Golden = Callable[[str, Frame], None]

pytestmark = pytest.mark.golden

CANVAS = Canvas(160, 96, Fraction(30))
PASSAGES: list[tuple[Passage, Direction]] = [
    ("crossfade", "left"),
    ("wipe", "top"),
    ("slide", "right"),
    ("zoom", "left"),
    ("dip", "left"),
]


def rings(x: float, y: float, tint: tuple[float, float, float]) -> Frame:
    """Rings around (x, y) on a slope of colour."""
    rows, columns = np.mgrid[0:96, 0:160]
    bright = 0.5 + 0.5 * np.cos(np.hypot(columns - x, rows - y) / 5)
    rgb = bright[..., None] * 110 + np.array(tint) * (columns / 160)[..., None]
    return from_rgb(np.rint(rgb).astype(np.uint8), CANVAS)


def badge() -> npt.NDArray[np.uint8]:
    """A soft magenta disc with a yellow bar, premultiplied."""
    y, x = np.mgrid[0:48, 0:64] + 0.5
    alpha = np.clip(22 - np.hypot(x - 32, y - 24), 0, 3) / 3
    bar = np.abs(y - 24) < 5
    colour = np.where(bar[..., None], (255, 230, 40), (220, 30, 160))
    pixels = np.concatenate([colour, np.full((48, 64, 1), 255)], axis=2) * alpha[..., None]
    return np.asarray(np.rint(pixels), np.uint8)


@pytest.mark.parametrize(("kind", "direction"), PASSAGES)
def test_passages_have_not_changed(kind: Passage, direction: Direction, golden: Golden) -> None:
    frame = Frame(CANVAS)
    before, after = rings(40, 30, (20, 60, 140)), rings(120, 70, (140, 80, 10))
    draw_passage(kind, before, after, 0.4, frame, direction=direction, color=(63, 102, 240))
    golden(kind, frame)


def test_sprites_have_not_changed(golden: Golden) -> None:
    frame, sprite = rings(80, 48, (30, 40, 60)), Sprite.from_rgba(badge())
    sprite.draw(frame, 2, 2)
    sprite.draw(frame, 60.25, 3.5, opacity=0.6)
    sprite.draw(frame, 110.3, 5.2, scale=0.62)
    sprite.draw(frame, -20.5, 60.3, scale=1.3)
    sprite.draw(frame, 90, 50, clip=Rect(100.5, 55.25, 140, 90))
    golden("sprites", frame)


def test_windows_have_not_changed(golden: Golden) -> None:
    frame, source = rings(20, 90, (30, 40, 60)), rings(80, 48, (140, 80, 10))
    draw_window(source, frame, view=Rect(10.3, 5.7, 140, 83), place=Rect(5.5, 5.25, 100, 62))
    mask = Mask.from_alpha(badge()[..., 3])
    draw_window(
        source, frame, view=Rect(40, 20, 120, 80), place=Rect(90.2, 40, 154, 88), mask=mask, opacity=0.8
    )
    golden("windows", frame)
