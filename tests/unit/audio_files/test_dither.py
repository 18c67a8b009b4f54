"""Rounding to whole numbers: unbiased, independent of the signal and of how the track is cut."""

from __future__ import annotations

import numpy as np
import pytest

from renderkiln.media.audio.dither import to_int16, to_int24


def test_a_tone_below_one_step_survives_in_sixteen_bits() -> None:
    """Undithered, a sine of 0.4 steps rounds to silence."""
    n = np.arange(480_000)
    sine = np.sin(2 * np.pi * 1000 / 48000 * n)
    block = np.stack([sine, sine]).astype(np.float32) * np.float32(0.4 / 32768)
    left = to_int16(block, 0)[:, 0].astype(float)
    assert 2 * np.mean(left * sine) == pytest.approx(0.4, abs=0.01)


def test_the_error_has_the_power_of_triangular_dither_whatever_the_signal() -> None:
    """A quarter of a step squared in all: 1/12 of rounding and 1/6 of dither (Lipshitz 1992)."""
    for level in (0.0, 0.1, 0.25, 0.5, 1000.3):
        block = np.full((2, 100_000), level / 32768, np.float32)
        error = to_int16(block, 0).astype(float) - np.float64(block[0, 0]) * 32768
        assert np.mean(error) == pytest.approx(0.0, abs=0.006)
        assert np.mean(error**2) == pytest.approx(0.25, abs=0.006)


def test_the_noise_is_another_in_each_channel_and_at_each_sample() -> None:
    noise = to_int16(np.zeros((2, 100_000), np.float32), 0).astype(float)
    assert abs(np.corrcoef(noise.T)[0, 1]) < 0.015
    assert abs(np.corrcoef(noise[1:, 0], noise[:-1, 0])[0, 1]) < 0.015


def test_cutting_into_blocks_changes_nothing() -> None:
    block = np.random.default_rng(1).standard_normal((2, 10_000)).astype(np.float32) * np.float32(0.2)
    pieces = [to_int16(block[:, start : start + 777], start) for start in range(0, 10_000, 777)]
    assert np.array_equal(np.concatenate(pieces), to_int16(block, 0))


def test_what_is_too_loud_is_cut_off_and_never_wraps_around() -> None:
    block = np.array([[1.0, -1.0, 5.0, -5.0], [1.5, -1.5, 1e9, -1e9]], np.float32)
    assert to_int16(block, 0)[2].tolist() == [32767, 32767]
    assert to_int16(block, 0)[3].tolist() == [-32768, -32768]
    assert (to_int24(block) >> 8)[:, 0].tolist() == [8388607, -8388608, 8388607, -8388608]


def test_twenty_four_bits_are_rounded_to_the_nearest() -> None:
    block = np.array([[3.4, -3.6, 0.0], [100.0, -100.0, 0.6]], np.float32) / np.float32(8388608)
    assert (to_int24(block) >> 8).T.tolist() == [[3, -4, 0], [100, -100, 1]]
