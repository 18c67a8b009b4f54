"""The meter against the signals of EBU Tech 3341 and 3342, whose loudness is known by construction."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from renderkiln.media.audio.loudness import Loudness, Meter

Signal = npt.NDArray[np.float32]
RATES = pytest.mark.parametrize("rate", [44100, 48000])


def tones(rate: int, *parts: tuple[float, float]) -> Signal:
    """A 1 kHz stereo sine through (dBFS, seconds) parts without a break in its phase."""
    gains = np.concatenate([np.full(round(seconds * rate), 10 ** (level / 20)) for level, seconds in parts])
    wave = gains * np.sin(2 * np.pi * 1000 * np.arange(len(gains)) / rate)
    return np.stack([wave, wave]).astype(np.float32)


def sine(rate: int, divisor: int, degrees: float, amplitude: float) -> Signal:
    """A steady sine of rate / divisor Hz, faded in and out: a hard start overshoots between its samples."""
    wave = amplitude * np.sin(2 * np.pi * np.arange(rate) / divisor + math.radians(degrees))
    wave *= np.minimum(1, np.minimum(np.arange(rate), np.arange(rate)[::-1]) / 1000)
    return np.stack([wave, wave]).astype(np.float32)


def measure(signal: Signal, rate: int, block: int = 48000) -> Loudness:
    meter = Meter(rate)
    for start in range(0, signal.shape[1], block):
        meter.add(signal[:, start : start + block])
    return meter.result()


@RATES
@pytest.mark.parametrize("level", [-23.0, -33.0])
def test_a_steady_tone(rate: int, level: float) -> None:
    result = measure(tones(rate, (level, 20)), rate)
    assert result.integrated == pytest.approx(level, abs=0.1)
    assert result.momentary == pytest.approx(level, abs=0.1)
    assert result.short_term == pytest.approx(level, abs=0.1)
    assert result.peak == pytest.approx(level, abs=0.05)


@RATES
@pytest.mark.parametrize(
    "parts",
    [
        [(-36, 10), (-23, 60), (-36, 10)],  # Tech 3341 case 3: the relative gate
        [(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)],  # case 4: the absolute gate too
        [(-26, 20), (-20, 20.1), (-26, 20)],  # case 5: nothing is gated
    ],
)
def test_gating(rate: int, parts: list[tuple[float, float]]) -> None:
    assert measure(tones(rate, *parts), rate).integrated == pytest.approx(-23.0, abs=0.1)


@RATES
@pytest.mark.parametrize(
    ("levels", "loudness_range"),
    [((-20, -30), 10), ((-20, -15), 5), ((-40, -20), 20), ((-50, -35, -20, -35, -50), 15)],
)
def test_loudness_range(rate: int, levels: tuple[float, ...], loudness_range: float) -> None:
    result = measure(tones(rate, *((level, 20) for level in levels)), rate)
    assert result.range == pytest.approx(loudness_range, abs=1.0)


@RATES
@pytest.mark.parametrize(
    ("divisor", "degrees", "amplitude", "expected"),
    [(4, 0, 0.5, -6.0), (4, 45, 0.5, -6.0), (6, 60, 0.5, -6.0), (8, 67.5, 0.5, -6.0), (4, 45, 1.41, 3.0)],
)
def test_true_peak(rate: int, divisor: int, degrees: float, amplitude: float, expected: float) -> None:
    true_peak = measure(sine(rate, divisor, degrees, amplitude), rate).true_peak
    assert expected - 0.4 <= true_peak <= expected + 0.2  # Tech 3341's tolerance


def test_true_peak_is_found_where_it_first_could_hide() -> None:
    """A short inter-sample peak, after a long louder sample peak elsewhere, must not be skipped over."""
    signal = np.zeros((2, 96000), np.float32)
    signal[0, 1000] = 0.6
    signal[1, 80000:80064] = sine(48000, 4, 45, 0.8)[0, 2000:2064]  # sample peak 0.566, true peak 0.8
    assert measure(signal, 48000).true_peak == pytest.approx(20 * math.log10(0.8), abs=0.3)


def test_silence_is_minus_infinity_and_none_in_json() -> None:
    result = measure(np.zeros((2, 48000 * 4), np.float32), 48000)
    assert result.integrated == result.peak == result.true_peak == result.short_term == -math.inf
    assert result.range == 0.0
    assert result.to_json()["integrated"] is None


def test_half_a_second_is_too_short_for_the_short_term_only() -> None:
    result = measure(tones(48000, (-23, 0.5)), 48000)
    assert result.short_term == -math.inf
    assert result.integrated == pytest.approx(-23.0, abs=0.2)


@pytest.mark.parametrize("block", [1, 7, 4799, 4800, 4801, 100_000])
def test_blocks_of_any_length_give_the_same(block: int) -> None:
    rng = np.random.default_rng(3)
    length = 3000 if block == 1 else 48000 * 4
    signal = (rng.standard_normal((2, length)) * 0.1).astype(np.float32)
    whole, split = measure(signal, 48000, length), measure(signal, 48000, block)
    assert vars(split) == pytest.approx(vars(whole), abs=1e-6)
