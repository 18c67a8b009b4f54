from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from renderkiln.media.audio.features import BANDS, RECORD, Features
from renderkiln.pipelines.visualizer.templates.spectrum.levels import FALL, HOLD, LEAST, Bars


def bands(values: np.ndarray) -> Features:
    """Features with these bands, shape (frames, BANDS), 30 frames a second."""
    records = np.zeros(len(values), RECORD)
    records["bands"] = values
    return Features(Fraction(30), records)


def test_bass_stands_in_the_middle_and_both_sides_agree() -> None:
    bass = np.zeros((1, BANDS))
    bass[0, :4] = 1.0
    levels = Bars(bands(bass), 80, 1.0).levels(0)
    assert np.allclose(levels, levels[::-1])
    assert levels[39:41].min() > 0.8
    assert levels[:30].max() == pytest.approx(LEAST)


def test_a_cap_waits_and_then_falls_like_a_stone() -> None:
    struck = np.zeros((90, BANDS))
    struck[10] = 1.0
    bars = Bars(bands(struck), 16, 1.0)
    top = float(bars.levels(10).max())
    assert float(bars.peaks(10).max()) == pytest.approx(top)
    for seconds in (0.1, 0.4, 0.8):
        fallen = FALL * max(seconds - HOLD, 0) ** 2
        assert float(bars.peaks(10 + round(30 * seconds)).max()) == pytest.approx(top - fallen, abs=1e-4)


def test_a_cap_is_never_below_its_bar() -> None:
    bars = Bars(bands(np.random.default_rng(1).random((120, BANDS))), 48, 1.5)
    assert all((bars.peaks(i) >= bars.levels(i) - 1e-6).all() for i in range(120))


def test_intensity_never_drives_a_bar_out_of_the_picture() -> None:
    assert Bars(bands(np.full((1, BANDS), 1.2)), 48, 2.0).levels(0).max() < 1.21
