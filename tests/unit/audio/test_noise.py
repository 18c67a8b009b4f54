"""Noise by its spectrum."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from audio_truth import Samples, decibels, pulled
from renderkiln.media.audio.noise import Colour, Noise
from renderkiln.media.audio.source import RATE

COLOURS: tuple[Colour, ...] = ("white", "pink", "brown")
ODD_SIZES = (4800, 1, 47, 4801)


def octave_slope(sound: Samples, low: float, high: float) -> tuple[float, float]:
    """dB per octave of one channel between two frequencies, and the largest distance from that line."""
    size = 1 << 15
    window, power = np.hanning(size), np.zeros(size // 2 + 1)
    for start in range(0, len(sound) - size, size // 2):
        power += np.abs(np.fft.rfft(sound[start : start + size] * window)) ** 2
    hertz = np.fft.rfftfreq(size, 1 / RATE)
    edges = low * 2 ** (np.arange(0, math.log2(high / low) + 1e-9, 0.5))
    middle = np.log2(np.sqrt(edges[1:] * edges[:-1]))
    level = [10 * math.log10(power[(hertz >= a) & (hertz < b)].sum() / (b - a)) for a, b in pairwise(edges)]
    line = np.polyfit(middle, level, 1)
    return float(line[0]), float(np.abs(level - np.polyval(line, middle)).max())


@pytest.mark.parametrize(
    ("colour", "slope", "low", "high"),
    [("white", 0, 40, 20_000), ("pink", -3.0103, 40, 16_000), ("brown", -6.0206, 40, 16_000)],
)
def test_the_slope_of_the_spectrum(colour: Colour, slope: float, low: float, high: float) -> None:
    sound = pulled(Noise(colour, 1), 60 * RATE, (RATE,))
    for channel in sound:
        measured, off = octave_slope(channel, low, high)
        assert measured == pytest.approx(slope, abs=0.1)
        assert off < 0.6


@pytest.mark.parametrize("colour", COLOURS)
def test_power_of_a_full_scale_sine_no_offset_and_nothing_in_common(colour: Colour) -> None:
    sound = pulled(Noise(colour, 7), 60 * RATE, (RATE,))
    assert decibels(sound) == pytest.approx(-3.01, abs=0.3)
    assert np.abs(sound.mean(axis=1)).max() < 0.003
    assert abs(np.corrcoef(sound[0], sound[1])[0, 1]) < 0.05


@pytest.mark.parametrize("colour", COLOURS)
def test_the_seed_is_all_that_matters(colour: Colour) -> None:
    whole = Noise(colour, 5).read(3 * RATE)
    assert np.array_equal(pulled(Noise(colour, 5), 3 * RATE, ODD_SIZES), whole)
    assert abs(np.corrcoef(whole[0], Noise(colour, 6).read(3 * RATE)[0])[0, 1]) < 0.1


def test_it_does_not_repeat() -> None:
    """A period would be a peak of the autocorrelation."""
    sound = pulled(Noise("white", 2), 20 * RATE, (RATE,))[0]
    size = 2 * len(sound)
    correlation = np.fft.irfft(np.abs(np.fft.rfft(sound, size)) ** 2)[: len(sound)]
    assert np.abs(correlation[1:]).max() < 0.01 * correlation[0]
