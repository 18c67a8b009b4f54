from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from renderkiln.media.audio.features import BANDS, RECORD, WAVE_POINTS, Features

Music = Callable[..., Features]


@pytest.fixture
def music() -> Music:
    """Features of an invented song: a beat twice a second, chords that wander, a wave; as loud as asked."""

    def invent(frames: int = 120, loudness: float = 1.0, fps: int = 30) -> Features:
        t = np.arange(frames) / fps
        beat = np.exp(-6 * (t % 0.5))
        records = np.zeros(frames, RECORD)
        band = np.arange(BANDS) / BANDS
        chord = 0.5 + 0.5 * np.sin(9 * band[None, :] + 1.7 * t[:, None])
        records["bands"] = loudness * (0.25 + 0.5 * chord + 0.4 * beat[:, None] * (1 - band[None, :]))
        records["low"] = loudness * (0.35 + 0.6 * beat)
        records["mid"], records["high"] = 0.5 * loudness, 0.3 * loudness
        records["onset"], records["rms"] = 1.2 * loudness * beat, 0.8 * loudness
        x = np.linspace(-1, 1, WAVE_POINTS)
        wave = np.sin(14 * x[None, :] + t[:, None]) + 0.4 * np.sin(47 * x)[None, :] * beat[:, None]
        records["wave"] = 20_000 * loudness * wave / 1.4
        records["phase"] = np.cumsum(0.55 + 0.9 * records["rms"] + 0.35 * records["low"]) / fps
        return Features(Fraction(fps), records)

    return invent
