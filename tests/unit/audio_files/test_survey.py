"""Signals whose offset, correlation, clipping and silences are known by construction."""

from __future__ import annotations

import numpy as np
import pytest

from renderkiln.media.audio.stereo import Block
from renderkiln.media.audio.survey import Silence, Survey

RATE = 48000
BLOCKS = pytest.mark.parametrize("block", [4800, 48000, 10_007, 10_000_000])


def survey(sound: Block, block: int = 48000) -> Survey:
    result = Survey(RATE)
    for start in range(0, sound.shape[1], block):
        result.add(sound[:, start : start + block])
    return result


def sine(seconds: float, hz: float = 440.0, level: float = 0.5) -> Block:
    wave = level * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)
    return np.stack([wave, wave]).astype(np.float32)


def silence(seconds: float) -> Block:
    return np.full((2, round(seconds * RATE)), 0.0005, np.float32)  # −66 dBFS


@BLOCKS
def test_silences_are_found_to_the_millisecond(block: int) -> None:
    parts = [silence(1.5), sine(2), silence(0.9), sine(2), silence(3), sine(1), silence(1.25)]
    found = survey(np.concatenate(parts, axis=1), block).silences
    expected = [Silence(0, 1.5), Silence(6.4, 9.4), Silence(10.4, 11.65)]
    assert len(found) == len(expected)
    for got, want in zip(found, expected, strict=True):
        assert (got.start, got.end) == pytest.approx((want.start, want.end), abs=0.0021)


def test_a_click_in_one_channel_ends_a_silence() -> None:
    sound = silence(4)
    sound[1, 2 * RATE] = 0.01
    assert [round(gap.start) for gap in survey(sound).silences] == [0, 2]


def test_all_silent_is_one_silence() -> None:
    assert survey(silence(5)).silences == (Silence(0.0, 5.0),)


@BLOCKS
def test_clipping_is_three_in_a_row(block: int) -> None:
    sound = sine(3)
    sound[0, [100, 101, 30_000, 47_998, 47_999, 48_000, 48_001]] = 1.0  # the last four across two blocks
    sound[1, 500:510] = -1.0
    assert survey(sound, block).clipped == 2


def test_offset_and_correlation() -> None:
    mono = sine(2)
    assert survey(mono).correlation == pytest.approx(1.0, abs=1e-5)
    assert survey(mono * np.array([[1], [-1]], np.float32)).correlation == pytest.approx(-1.0, abs=1e-5)
    apart = np.stack([sine(2, 440)[0], sine(2, 550)[0]])
    assert survey(apart).correlation == pytest.approx(0.0, abs=1e-5)
    assert survey(mono * np.array([[1], [0]], np.float32)).correlation is None
    shifted = mono + np.array([[0.01], [-0.02]], np.float32)
    assert survey(shifted).offset == pytest.approx((0.01, -0.02), abs=1e-6)
    assert survey(shifted).correlation == pytest.approx(1.0, abs=1e-4)
