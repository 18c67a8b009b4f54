"""Tones against their exact phase, in rational numbers."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from audio_truth import Samples, largest_jump, pulled, thd_n, tone_hz
from renderkiln.media.audio.course import Course
from renderkiln.media.audio.source import RATE, Source
from renderkiln.media.audio.tones import Binaural, Isochronic, Tone

MINUTES_15, HOURS_3 = 15 * 60 * RATE, 3 * 3600 * RATE
ODD_SIZES = (4800, 1, 47, 48, 4801, 70_000)


def skipped(source: Source, samples: int) -> Source:
    """Read on and thrown away."""
    while samples:
        samples -= source.read(min(samples, RATE // 2)).shape[1]
    return source


def truth(turns: Callable[[Fraction], Fraction], start: int, count: int) -> Samples:
    exact = [float(turns(Fraction(n, RATE)) % 1) for n in range(start, start + count)]
    return np.sin(2 * np.pi * np.array(exact))


@pytest.mark.parametrize("hertz", ["528", "206.25", "40.1", "19999.9"])
@pytest.mark.parametrize("start", [0, MINUTES_15])
def test_the_phase_of_a_steady_tone_is_exact(hertz: str, start: int) -> None:
    tone = skipped(Tone(Course.steady(float(hertz))), start)
    expected = truth(lambda t: Fraction(hertz) * t, start, 4800)
    assert np.abs(tone.read(4800) - expected).max() <= 1e-6


def test_the_phase_after_three_hours_is_exact() -> None:
    sources = skipped(Binaural(Course.steady(200.1), Course.steady(6.3)), HOURS_3 - 4800).read(4800)
    assert np.abs(sources[0] - truth(lambda t: Fraction("200.1") * t, HOURS_3 - 4800, 4800)).max() <= 1e-6
    assert np.abs(sources[1] - truth(lambda t: Fraction("206.4") * t, HOURS_3 - 4800, 4800)).max() <= 1e-6


def test_the_phase_of_a_glide_is_its_integral_also_after_its_end() -> None:
    low, high, lasts = Fraction("432.5"), Fraction("100.1"), Fraction("899.97")
    tone = skipped(Tone(Course(((0, 432.5), (899.97, 100.1)))), MINUTES_15 - 4800)

    def turns(t: Fraction) -> Fraction:
        glide = min(t, lasts)
        return low * glide + (high - low) / lasts * glide**2 / 2 + high * (t - glide)

    assert np.abs(tone.read(9600) - truth(turns, MINUTES_15 - 4800, 9600)).max() <= 1e-6


def test_a_step_of_frequency_does_not_jump() -> None:
    sound = pulled(Tone(Course(((0, 300), (0.51237, 300), (0.51237, 100)))), RATE)
    assert largest_jump(sound) <= 2 * np.pi * 300 / RATE


@pytest.mark.parametrize(
    "source",
    [
        lambda: Tone(Course(((0, 40), (1, 900), (1.5, 900), (2, 30)))),
        lambda: Binaural(Course(((0.3, 220), (2, 180))), Course(((0, 10), (1.7, 4)))),
        lambda: Isochronic(Course.steady(200), Course(((0, 12), (1.1, 3)))),
    ],
)
def test_how_it_is_read_makes_no_difference(source: Callable[[], Source]) -> None:
    assert np.abs(pulled(source(), 3 * RATE, ODD_SIZES) - source().read(3 * RATE)).max() < 1e-6


def test_binaural_ears_hear_the_carrier_and_the_carrier_plus_the_beat() -> None:
    left, right = pulled(Binaural(Course.steady(200), Course.steady(7.03)), 5 * RATE)
    assert tone_hz(left, 200) == pytest.approx(200, abs=1e-4)
    assert tone_hz(right, 207) == pytest.approx(207.03, abs=1e-4)
    assert max(thd_n(left, 200), thd_n(right, 207.03)) < -120


def test_isochronic_pulses_come_at_the_beat_for_half_of_the_time() -> None:
    left, right = pulled(Isochronic(Course.steady(1000), Course.steady(5)), 4 * RATE)
    assert np.array_equal(left, right)
    envelope = np.abs(left).reshape(-1, 48).max(axis=1)  # a cycle each
    rises = np.flatnonzero((envelope[1:] >= 0.5) & (envelope[:-1] < 0.5))
    assert np.allclose(np.diff(rises), 200, atol=1)
    assert np.mean(envelope > 0.5) == pytest.approx(0.5, abs=0.01)
    assert envelope.max() == pytest.approx(1, abs=1e-3)
    assert envelope.min() < 1e-4


def test_isochronic_edges_do_not_click() -> None:
    """Beyond the carrier nothing is left above what a raised cosine of 25 ms makes of it."""
    sound = pulled(Isochronic(Course.steady(1000), Course.steady(5)), 4 * RATE)[0]
    spectrum = 20 * np.log10(np.abs(np.fft.rfft(sound * np.blackman(len(sound)))) + 1e-9)
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    assert spectrum[hertz > 2000].max() < spectrum.max() - 90


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: Tone(Course.steady(0)), "tone of 0 Hz .* above 0 Hz"),
        (lambda: Tone(Course(((0, 5), (1, -5)))), "tone of -5 Hz"),
        (lambda: Tone(Course.steady(24_000)), "reaches 24000 Hz .* below 24000 Hz"),
        (lambda: Binaural(Course.steady(23_999), Course.steady(2)), "carrier that reaches 24001 Hz"),
        (lambda: Binaural(Course.steady(200), Course.steady(0)), "beat of 0 Hz"),
        (lambda: Isochronic(Course.steady(200), Course.steady(-1)), "beat of -1 Hz"),
    ],
)
def test_what_cannot_be_played_is_refused(make: Callable[[], Source], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        make()


def test_fifteen_minutes_take_a_fraction_of_a_second() -> None:
    source = Binaural(Course.steady(200), Course.steady(7))
    source.read(4800)
    before = time.process_time()
    for _ in range(MINUTES_15 // 4800 // 10):
        source.read(4800)
    assert (time.process_time() - before) * 10 < 1.0  # measured 0.16 on a busy machine
