from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest

from renderkiln.media.audio.features import Features
from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.pipelines.visualizer.template import Film, Template
from renderkiln.pipelines.visualizer.templates.particles import Particles
from renderkiln.pipelines.visualizer.templates.spectrum import Spectrum
from renderkiln.pipelines.visualizer.templates.waveform import Waveform

Golden = Callable[[str, Frame], None]

pytestmark = pytest.mark.golden

TEMPLATES = [Spectrum(), Waveform(), Particles()]
FLAT = Canvas(256, 144, Fraction(30))
AROUND = Canvas(192, 192, Fraction(30), "stereo360")


@pytest.mark.parametrize(
    ("look", "canvas", "index"),
    [("quiet", FLAT, 40), ("loud", FLAT, 106), ("360", AROUND, 106)],
    ids=["quiet", "loud", "360"],
)
@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_the_look_has_not_changed(
    template: Template, look: str, canvas: Canvas, index: int, features: Features, golden: Golden
) -> None:
    frame = Frame(canvas)
    template.painter(Film(canvas, features, template.Params(), 7)).draw(index, frame)
    golden(f"{template.name}-{look}", frame)
