"""The mix against the same in plain numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest

from audio_truth import Recording, Samples, largest_jump, sine
from renderkiln.media.audio.mix import Layer, Mix
from renderkiln.media.audio.source import BLOCK, RATE, Block


def mixed(mix: Mix, size: int = BLOCK) -> Block:
    return np.concatenate(list(mix.blocks(size)), axis=1)


def raised(progress: Samples) -> Samples:
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip(progress, 0, 1)))


def music(seconds: float, seed: int) -> Samples:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (2, round(seconds * RATE)))


def test_gains_and_fades_are_those_asked_for() -> None:
    one, two, samples = music(5, 1), music(3, 2), 4 * RATE + 17
    layers = [Layer(Recording(one), -6), Layer(Recording(two), -14, fade_in=0.5, fade_out=2)]
    t = np.arange(samples) / RATE
    left = samples / RATE - t
    padded = np.pad(two, ((0, 0), (0, samples - two.shape[1])))
    expected = 10 ** (-6 / 20) * one[:, :samples] * raised(left / 0.01)
    expected += 10 ** (-14 / 20) * padded * raised(t / 0.5) * raised(left / 2)
    inside = slice(0, samples - RATE // 50)
    result = mixed(Mix(layers, samples))
    assert result.shape == expected.shape
    assert result.dtype == np.float32
    assert np.abs(result - expected)[:, inside].max() < 2e-6
    assert np.abs(result - expected).max() < 0.01  # the 10 ms at the end are ten straight lines


@pytest.mark.parametrize("size", [1000, 47, 48, BLOCK + 1, 100_000])
def test_the_size_of_blocks_makes_no_difference(size: int) -> None:
    def mix() -> Mix:
        return Mix([Layer(Recording(music(2, 3)), -3, fade_in=1, fade_out=0.5)], 2 * RATE + 5)

    assert np.abs(mixed(mix(), size) - mixed(mix())).max() < 1e-6


def test_a_layer_that_is_cut_off_ends_without_a_click() -> None:
    sound = sine(100, 3)
    result = mixed(Mix([Layer(Recording(sound))], 2 * RATE + 120))  # a quarter of a cycle: at its height
    assert np.abs(result[:, -1]).max() < 0.01
    assert largest_jump(result) <= 1.5 * largest_jump(sound) < 0.02


def test_nothing_is_clipped_or_lost() -> None:
    loud = Mix([Layer(Recording(sine(100, 1))), Layer(Recording(sine(100, 1)))], RATE // 2)
    assert np.abs(mixed(loud)).max() == pytest.approx(2, abs=1e-4)


def test_no_samples_are_no_blocks() -> None:
    assert list(Mix([], 0).blocks()) == []
    assert np.array_equal(mixed(Mix([], 100)), np.zeros((2, 100)))


@pytest.mark.parametrize("wrong", [(math.nan, 0, 0), (0, -1, 0), (0, 0, math.inf)])
def test_what_is_no_layer(wrong: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="gain in decibels and fades in seconds"):
        Layer(Recording(sine(100, 1)), *wrong)
