"""Stored frames of the 360° flame."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from renderkiln.media.audio.features import RECORD, Features
from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.pipelines.visualizer.template import Film, TemplateParams
from renderkiln.pipelines.visualizer.templates.flame.ring import RingPainter

pytestmark = pytest.mark.golden

CANVAS = Canvas(256, 256, Fraction(30), "stereo360")


def features(loudness: float, onset: float) -> Features:
    records = np.zeros(121, RECORD)
    records["bands"] = loudness * (0.6 + 0.4 * np.cos(np.arange(48) / 5))
    records["low"] = records["rms"] = loudness
    records["mid"] = records["high"] = 0.6 * loudness
    records["onset"] = onset
    records["phase"] = np.arange(121) / 30 * (0.3 + loudness)
    return Features(CANVAS.fps, records)


@pytest.mark.parametrize(("name", "loudness", "onset"), [("quiet", 0.12, 0.0), ("loud", 0.95, 1.0)])
def test_ring(name: str, loudness: float, onset: float, golden: Callable[[str, Frame], None]) -> None:
    frame = Frame(CANVAS)
    RingPainter(Film(CANVAS, features(loudness, onset), TemplateParams(), 1)).draw(120, frame)
    golden(name, frame)
