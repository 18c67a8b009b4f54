"""Known tones, found by the meter to a hundredth of a hertz under noise and neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from renderkiln.media.audio.stereo import Block
from renderkiln.media.audio.tonemeter import Expected, Tone, ToneMeter

RATE = 48000


def sines(seconds: float, left: dict[float, float], right: dict[float, float]) -> Block:
    """Both channels as sums of sines, given as Hz and dBFS."""
    t = np.arange(round(seconds * RATE)) / RATE
    channels = [
        sum((10 ** (level / 20) * np.sin(2 * np.pi * hz * t + hz) for hz, level in parts.items()), 0 * t)
        for parts in (left, right)
    ]
    return np.stack(channels).astype(np.float32)


def found(sound: Block, *expected: Expected, block: int = 48000, rate: int = RATE) -> tuple[Tone, ...]:
    meter = ToneMeter(rate, expected)
    for start in range(0, sound.shape[1], block):
        meter.add(sound[:, start : start + block])
    return meter.tones()


@pytest.mark.parametrize("off", [-0.3, -0.01, 0.0, 0.01, 0.123])
def test_a_tone_is_where_it_really_is(off: float) -> None:
    sound = sines(10, {528 + off: -24}, {528 + off: -24})
    (tone,) = found(sound, Expected(528.0))
    assert tone.hz == pytest.approx(528 + off, abs=0.001)
    assert tone.level == pytest.approx(-24, abs=0.05)
    assert tone.snr is not None
    assert tone.snr > 40


def test_a_binaural_pair_is_told_apart() -> None:
    left, right = found(sines(10, {200: -24}, {207.05: -30}), Expected(200.0, 0), Expected(207.0, 1))
    assert left.hz == pytest.approx(200, abs=0.001)
    assert right.hz == pytest.approx(207.05, abs=0.001)
    assert (left.level, right.level) == pytest.approx((-24, -30), abs=0.05)
    assert left.separation is not None
    assert left.separation > 40


def test_in_a_mono_file_there_is_no_separation() -> None:
    both = {200.0: -24.0, 207.0: -24.0}
    left, right = found(sines(10, both, both), Expected(200.0, 0), Expected(207.0, 1))
    assert left.separation == pytest.approx(0, abs=0.1)
    assert right.separation == pytest.approx(0, abs=0.1)


def test_noise_sixty_times_as_strong_in_all_moves_it_by_less_than_a_hundredth() -> None:
    rng = np.random.default_rng(5)
    sound = sines(10, {528: -24}, {528: -24}) + rng.normal(0, 0.35, (2, 480_000)).astype(np.float32)
    (tone,) = found(sound, Expected(528.0))
    assert tone.hz == pytest.approx(528, abs=0.01)
    assert tone.level == pytest.approx(-24, abs=1.0)


def test_a_loud_note_beside_it_is_not_taken_for_it() -> None:
    """C5 is 4.75 Hz below 528 Hz; A4 is 5 Hz above 435: at −3 dBFS they are 21 dB louder than the tone."""
    (tone,) = found(sines(10, {528: -24, 523.25: -3}, {528: -24, 523.25: -3}), Expected(528.0))
    assert tone.hz == pytest.approx(528, abs=0.01)
    (missing,) = found(sines(10, {523.25: -3}, {523.25: -3}), Expected(528.0))
    assert missing.hz is None


@pytest.mark.parametrize("seed", range(5))
def test_noise_alone_is_no_tone(seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, 0.1, (2, RATE * 30)).astype(np.float32)
    assert all(tone.hz is None for tone in found(noise, Expected(396.0), Expected(200.0, 0)))


def test_silence_and_a_moment_are_no_tone() -> None:
    assert found(np.zeros((2, RATE * 10), np.float32), Expected(528.0))[0].hz is None
    assert found(sines(1, {528: -6}, {528: -6}), Expected(528.0))[0].hz is None
    assert found(np.zeros((2, 0), np.float32), Expected(528.0))[0].hz is None


@pytest.mark.parametrize("block", [1000, 4799, 4800, 70_001])
def test_blocks_of_any_length_give_the_same(block: int) -> None:
    sound = sines(5, {963: -20}, {963: -20})
    (whole,), (cut,) = found(sound, Expected(963.0)), found(sound, Expected(963.0), block=block)
    assert cut.hz == pytest.approx(whole.hz, abs=1e-6)
    assert cut.level == pytest.approx(whole.level, abs=1e-3)


def test_fades_do_not_make_it_softer() -> None:
    sound = sines(20, {528: -24}, {528: -24})
    fade = np.minimum(1, np.arange(sound.shape[1]) / (4 * RATE)).astype(np.float32)
    (tone,) = found(sound * fade * fade[::-1], Expected(528.0))
    assert tone.level == pytest.approx(-24, abs=0.1)
    assert tone.hz == pytest.approx(528, abs=0.001)


def test_after_three_hours_it_is_still_exact() -> None:
    """Only the tone's last ten seconds are made, with the phase that they have by whole numbers."""
    meter = ToneMeter(RATE, [Expected(528.3)])
    start = 3 * 3600 * RATE
    meter._sums.append(np.zeros((start // 4800, 2, 4), np.float32))  # what silence leaves
    phase = ((start + np.arange(10 * RATE)) * 5283 % (10 * RATE)) / (10 * RATE)
    meter.add(np.repeat(0.5 * np.sin(2 * np.pi * phase)[None], 2, axis=0).astype(np.float32))
    (tone,) = meter.tones()
    assert tone.hz == pytest.approx(528.3, abs=0.005)
