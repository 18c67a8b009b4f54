from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from renderkiln.media.audio.features import Features
from renderkiln.pipelines.visualizer.templates.spectrum.levels import FALL, HOLD, LEAST, Bars

Music = Callable[..., Features]


def struck(music: Music, frames: int = 90, at: int = 10) -> Features:
    """Silence, and all bands at 1 in one frame."""
    features = music(frames, loudness=0.0)
    features.records["bands"][at] = 1.0
    return features


def test_bass_stands_in_the_middle_and_both_sides_agree(music: Music) -> None:
    features = music(1, loudness=0.0)
    features.records["bands"][0, :4] = 1.0
    levels = Bars(features, 80, 1.0).levels(0)
    assert np.allclose(levels, levels[::-1])
    assert levels[39:41].min() > 0.8
    assert levels[:30].max() == pytest.approx(LEAST)


def test_a_cap_waits_and_then_falls_like_a_stone(music: Music) -> None:
    bars = Bars(struck(music), 16, 1.0)
    top = float(bars.levels(10).max())
    assert float(bars.peaks(10).max()) == pytest.approx(top)
    for seconds in (0.1, 0.4, 0.8):
        fallen = FALL * max(seconds - HOLD, 0) ** 2
        assert float(bars.peaks(10 + round(30 * seconds)).max()) == pytest.approx(top - fallen, abs=1e-4)


def test_a_cap_is_never_below_its_bar(music: Music) -> None:
    bars = Bars(music(), 48, 1.5)
    assert all((bars.peaks(i) >= bars.levels(i) - 1e-6).all() for i in range(120))


def test_intensity_never_drives_a_bar_out_of_the_picture(music: Music) -> None:
    assert Bars(music(loudness=1.2), 48, 2.0).levels(45).max() < 1.21
