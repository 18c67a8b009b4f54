from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.media.frames.colorcode import fill, parse_color
from renderkiln.media.frames.gradient import Gradient, paint_gradient
from renderkiln.media.frames.image import Pixels
from renderkiln.media.frames.patch import Patch
from renderkiln.media.frames.photo import framed, to_frame
from renderkiln.media.frames.shape import Raster, Shadow, Stroke, draw_shape

Golden = Callable[[str, Frame], None]

pytestmark = pytest.mark.golden

CANVAS = Canvas(240, 136, Fraction(30))
WARM = tuple(
    (place, parse_color(color)) for place, color in ((0, "#ff6a3d"), (0.6, "#9a1f6e"), (1, "#1d1147"))
)
SHADE = Shadow((20, 0, 40, 170), x=2, y=5, blur=12)
LINE = Stroke(parse_color("white"), 3)


def lay(frame: Frame, raster: Raster, x: int, y: int) -> None:
    Patch.from_rgba(raster.pixels, x + raster.left, y + raster.top).blend(frame, 1.0)


def picture(width: int, height: int) -> Pixels:
    """A sky over hills, with a sun, and with a hole in its middle."""
    y, x = np.mgrid[0:height, 0:width] / [[[height]], [[width]]]
    hills = y > 0.7 + 0.1 * np.sin(9 * x)
    sun = np.hypot((x - 0.75) * width / height, y - 0.3) < 0.12
    hole = np.hypot((x - 0.5) * width / height, y - 0.5) < 0.1
    image = np.stack([70 + 90 * y, 120 + 80 * y, 230 - 40 * y, 255 - 255 * hole], axis=2)
    image[hills, :3], image[sun, :3] = (40, 90, 50), (255, 230, 150)
    return image.astype(np.uint8)


@pytest.mark.parametrize("kind", ["linear", "radial"])
def test_gradients_have_not_changed(kind: str, golden: Golden) -> None:
    frame = Frame(CANVAS)
    paint_gradient(frame, Gradient(WARM, "radial" if kind == "radial" else "linear", angle=120))
    golden(kind, frame)


def test_shapes_have_not_changed(golden: Golden) -> None:
    frame = Frame(CANVAS)
    fill(frame, parse_color("#ece9e4"))
    lay(
        frame,
        draw_shape("rectangle", 80, 50, fill=Gradient(WARM, angle=135), radius=9, stroke=LINE, shadow=SHADE),
        20,
        20,
    )
    lay(frame, draw_shape("rectangle", 60, 36, radius=5, shadow=SHADE, rotation=-20), 140, 30)
    lay(frame, draw_shape("ellipse", 50, 36, fill=(0, 120, 130, 120), shadow=SHADE), 30, 88)
    lay(frame, draw_shape("line", 90, -30, stroke=Stroke((40, 30, 90, 255), 5), shadow=SHADE), 120, 90)
    golden("shapes", frame)


def test_photos_have_not_changed(golden: Golden) -> None:
    frame = to_frame(picture(640, 480), CANVAS, parse_color("#203040"), fit="contain", dim=0.3)
    lay(frame, framed(picture(80, 60), radius=8, stroke=LINE, shadow=SHADE, rotation=8), 20, 40)
    golden("photos", frame)
