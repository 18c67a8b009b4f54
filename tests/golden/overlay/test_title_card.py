from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.media.frames.image import write_image
from renderkiln.media.frames.overlay import title_card

Golden = Callable[[str, Frame], None]

pytestmark = pytest.mark.golden

CARDS = {
    "cyrillic": ("Ночь на Лысой горе", "Модест Мусоргский"),
    "japanese": ("夜に駆ける", "YOASOBI"),
    "arabic": ("أغنية الليل", "فيروز"),
    "long": ("A very long title that goes on and on about the night and the sea " * 2, "Somebody"),
}


@pytest.mark.parametrize("name", CARDS)
def test_the_card_has_not_changed(name: str, tmp_path: Path, golden: Golden) -> None:
    y, x = np.mgrid[0:64, 0:64] * 4
    write_image(tmp_path / "cover.png", np.stack([x, y, 255 - x], axis=2).astype(np.uint8))
    canvas = Canvas(320, 180, Fraction(30))
    frame = Frame(canvas)
    frame.y[:], frame.u[:], frame.v[:] = 120, 140, 150
    overlay = title_card(canvas, *CARDS[name], (tmp_path / "cover.png").read_bytes())
    assert overlay is not None
    overlay.blend(frame, 1.0)
    golden(name, frame)
