"""What is below a voice goes, the voice stays."""

from __future__ import annotations

import numpy as np
import pytest

from renderkiln.media.audio.highpass import highpass

RATE = 48_000


def gain_db(hz: float) -> float:
    """Of a steady tone, after the filter has settled."""
    tone = np.sin(2 * np.pi * hz * np.arange(RATE) / RATE).astype(np.float32)
    settled = highpass(tone, RATE)[RATE // 2 :]
    return float(20 * np.log10(settled.std() / tone[RATE // 2 :].std()))


@pytest.mark.parametrize(
    ("hz", "expected"), [(17.5, -24.1), (35, -12.3), (70, -3.0), (140, -0.27), (1000, 0.0)]
)
def test_it_falls_by_12_db_an_octave_below_the_voice(hz: float, expected: float) -> None:
    assert gain_db(hz) == pytest.approx(expected, abs=0.1)


def test_an_offset_goes() -> None:
    offset = np.full(RATE, 0.1, np.float32)
    assert abs(highpass(offset, RATE)[-1]) < 1e-6
