from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from renderkiln.media.audio.features import BANDS, RECORD, WAVE_POINTS, Features
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


@pytest.fixture
def features() -> Features:
    """Four seconds of an invented song, quiet first, then loud."""
    t = np.arange(120) / 30
    level = np.where(t < 2, 0.35, 1.0)
    beat = np.exp(-6 * (t % 0.5)) * level
    records = np.zeros(len(t), RECORD)
    band, x = np.arange(BANDS) / BANDS, np.linspace(-1, 1, WAVE_POINTS)
    chord = 0.5 + 0.5 * np.sin(9 * band[None, :] + 1.7 * t[:, None])
    records["bands"] = level[:, None] * (0.2 + 0.5 * chord) + 0.4 * beat[:, None] * (1 - band[None, :])
    records["low"], records["mid"], records["high"] = 0.3 * level + 0.6 * beat, 0.5 * level, 0.3 * level
    records["onset"], records["rms"] = 1.2 * beat, 0.8 * level
    wave = (
        np.sin(14 * x[None, :] + t[:, None]) * level[:, None] + 0.4 * np.sin(47 * x)[None, :] * beat[:, None]
    )
    records["wave"] = 14_000 * wave
    records["phase"] = np.cumsum(0.55 + 0.9 * records["rms"] + 0.35 * records["low"]) / 30
    return Features(Fraction(30), records)


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
