from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest

from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.media.frames.lettering import Box, Look, Shadow, Stroke, set_lettering
from renderkiln.media.frames.patch import Patch

Golden = Callable[[str, Frame], None]

pytestmark = pytest.mark.golden

WHITE, BLACK = (255, 255, 255, 255), (0, 0, 0, 255)
TITLE = Look(WHITE, Stroke((180, 30, 60, 255), 3), Shadow((0, 0, 0, 200), 3, 5, 8))
CAPTION = Look(WHITE, box=Box((0, 0, 0, 176), 8, 6, per_line=True))
LETTERINGS = {
    "title": ("Night on Bald Mountain 🔥", TITLE, {"size": 42, "weight": 700, "line_height": 1.1}),
    "caption": ("A caption in two lines, each with its own box", CAPTION, {"size": 22, "align": "center"}),
    "mixed": ("مرحبا Renderkiln 👍🏽\nשלום 🇩🇪\n夜に駆ける", Look(BLACK, box=Box(WHITE, 10)), {"size": 24}),
    "hindi": ("स्वर क्षत्रिय ก็ที่นี่ โฆษณา", Look(WHITE, shadow=Shadow(BLACK, 0, 2, 6)), {"size": 30}),
}


@pytest.mark.parametrize("name", LETTERINGS)
def test_the_letters_have_not_changed(name: str, golden: Golden) -> None:
    text, look, style = LETTERINGS[name]
    frame = Frame(Canvas(320, 180, Fraction(30)))
    frame.y[:], frame.u[:], frame.v[:] = 120, 140, 120
    pixels, left, top = set_lettering(text, width=280, height=140, **style).raster(look)  # type: ignore[arg-type]
    Patch.from_rgba(pixels, left + 24, top + 24).blend(frame, 1.0)
    golden(name, frame)
