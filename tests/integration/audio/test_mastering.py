"""Loudness and peaks of what comes out, by the meter."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from audio_truth import Samples, measured, pieces, sine, thd_n
from renderkiln.media.audio.limiter import Limiter
from renderkiln.media.audio.mastering import MAX_GAIN, MAX_REDUCTION, Master, solve
from renderkiln.media.audio.source import RATE, Block
from renderkiln.media.audio.spool import Spool
from renderkiln.media.errors import Unsuitable

pytestmark = pytest.mark.integration

Recorded = Callable[[Samples], Spool]


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    return lambda sound: Spool.record(tmp_path / "mix", pieces(sound))


def speech(seconds: float, seed: int = 1) -> Samples:
    """As peaky as a voice: a buzz in syllables of different strength, a pause every four seconds."""
    t, rng = np.arange(round(seconds * RATE)) / RATE, np.random.default_rng(seed)
    cycle = [np.cos(2 * np.pi * 100 * k * t[:480] + k * k / 13) / k for k in range(1, 30)]
    buzz = np.tile(np.sum(cycle, axis=0) / 3, round(seconds * 100))
    strength = np.repeat(rng.uniform(0.1, 1, round(seconds * 4)), RATE // 4)
    syllables = strength * np.clip(np.sin(2 * np.pi * 4 * t), 0, 1) * ((t % 4) < 3)
    return np.stack([buzz * syllables, 0.8 * buzz * syllables]) + rng.normal(0, 1e-3, (2, len(t)))


def finished(master: Master, spool: Spool, extra: float = 0.0) -> Block:
    return np.concatenate(list(master.blocks(spool, extra)), axis=1)


def test_without_peaks_in_the_way_it_is_one_gain(recorded: Recorded) -> None:
    sound = np.random.default_rng(1).normal(0, 0.02, (2, 5 * RATE + 99))
    spool = recorded(sound)
    master = solve(spool, target_lufs=-16, ceiling_dbtp=-1)
    result = finished(master, spool)
    assert master.limiter is None
    assert (master.reduction_db, master.limited, master.shortfall, master.note) == (0, 0, 0, None)
    assert measured(pieces(result)).integrated == pytest.approx(-16, abs=0.01)
    assert np.abs(result - sound * 10 ** (master.gain_db / 20)).max() < 1e-6


@pytest.mark.parametrize("level", [0.03, 0.3, 2.0])
@pytest.mark.parametrize("ceiling", [-1.0, -2.0])
def test_peaky_speech_meets_the_target_and_the_ceiling(
    recorded: Recorded, level: float, ceiling: float
) -> None:
    spool = recorded(level * speech(12))
    master = solve(spool, target_lufs=-16, ceiling_dbtp=ceiling)
    loudness = measured(pieces(finished(master, spool)))
    assert 1 < master.reduction_db < MAX_REDUCTION
    assert 0 < master.limited < 0.5
    assert master.iterations <= 6
    assert master.predicted_lufs == pytest.approx(-16, abs=0.005)
    assert loudness.integrated == pytest.approx(-16, abs=0.012)
    assert ceiling - 0.5 < loudness.true_peak < ceiling + 0.1


@pytest.mark.parametrize("target", [-12, -9, -6])
def test_loud_targets_are_met_or_what_is_missing_is_said(recorded: Recorded, target: float) -> None:
    spool = recorded(speech(12))
    master = solve(spool, target_lufs=target, ceiling_dbtp=-1)
    loudness = measured(pieces(finished(master, spool)))
    assert loudness.integrated + master.shortfall == pytest.approx(target, abs=0.05)
    assert loudness.true_peak < -0.9
    assert (master.note is None) == (master.shortfall == 0)


def test_one_click_far_above_the_rest_is_not_squashed_without_a_word(recorded: Recorded) -> None:
    sound = np.random.default_rng(2).normal(0, 0.001, (2, 5 * RATE))
    sound[:, RATE : RATE + 40] += 0.99
    spool = recorded(sound)
    master = solve(spool, target_lufs=-16, ceiling_dbtp=-1)
    assert master.reduction_db == pytest.approx(MAX_REDUCTION, abs=1.5)
    assert master.shortfall > 5
    assert "the peaks are so far above the rest" in (master.note or "")
    assert measured(pieces(finished(master, spool))).true_peak < -0.9


def test_the_gain_for_a_very_quiet_mix_is_bounded_and_said(recorded: Recorded) -> None:
    spool = recorded(np.random.default_rng(3).normal(0, 3e-4, (2, 5 * RATE)))
    master = solve(spool, target_lufs=-16, ceiling_dbtp=-1)
    assert master.gain_db == MAX_GAIN
    assert measured(pieces(finished(master, spool))).integrated + master.shortfall == pytest.approx(
        -16, abs=0.02
    )
    assert f"stays {master.shortfall:.1f} LU below the target" in (master.note or "")


@pytest.mark.parametrize("hz", [30, 100, 1000, 997, 11_025])
def test_a_limited_tone_is_still_a_tone(recorded: Recorded, hz: float) -> None:
    spool = recorded(sine(hz, 4, 0.5))
    limiter = Limiter(spool, 0.2)
    limiter.prepare(1.0)
    master = Master(0.0, limiter, 0, 0, 0, 0, 0, None)
    steady = finished(master, spool)[:, RATE : 3 * RATE]
    assert thd_n(steady[0], hz) < -60
    assert np.abs(steady).max() == pytest.approx(0.2, rel=0.02)


def test_peaks_between_the_samples_stay_below_the_ceiling(recorded: Recorded) -> None:
    """A quarter of the rate at 45 degrees: sample peaks are 3 dB below the true ones."""
    t = np.arange(4 * RATE)
    wave = 0.9 * np.sin(np.pi / 2 * t + np.pi / 4) * np.minimum(1, np.minimum(t, t[::-1]) / 2000)
    spool = recorded(np.stack([wave, 0.1 * wave]))
    limiter = Limiter(spool, 0.7)  # above every sample, below the peaks between them
    limiter.prepare(1.0)
    result = finished(Master(0.0, limiter, 0, 0, 0, 0, 0, None), spool)
    assert measured(pieces(spool.frames().T)).true_peak == pytest.approx(20 * np.log10(0.9), abs=0.2)
    assert measured(pieces(result)).true_peak == pytest.approx(20 * np.log10(0.7), abs=0.1)


def test_both_channels_have_one_gain(recorded: Recorded) -> None:
    sound = speech(5)
    spool = recorded(sound)
    result = finished(solve(spool, target_lufs=-14, ceiling_dbtp=-3), spool)
    loud = np.abs(sound).min(axis=0) > 0.05
    gains = result[:, loud] / sound[:, loud]
    assert np.abs(gains[0] / gains[1] - 1).max() < 1e-4


def test_the_gain_is_never_above_what_a_peak_needs_and_has_no_corner(recorded: Recorded) -> None:
    sound = np.zeros((2, RATE))
    sound[0, 20_000] = 1.0
    sound[1, 30_001] = -0.8
    spool = recorded(sound)
    limiter = Limiter(spool, 0.5)
    limiter.prepare(1.0)
    gains = limiter.gains(1.0, 0, 1001)
    needed = np.minimum(1, 0.5 / np.maximum(np.array(limiter._peaks), 1e-9))
    assert np.all(gains[:-1] <= needed + 1e-6)
    assert np.all(gains[1:] <= needed + 1e-6)
    assert np.abs(np.diff(gains, 2)).max() < 0.01
    assert gains[300] == gains[520] == 1
    parts = np.concatenate([limiter.gains(1.0, first, 7) for first in range(0, 1001, 7)])
    assert np.array_equal(parts[:1001], gains)


def test_what_an_encoder_takes_is_made_up_for_after_the_limiter(recorded: Recorded) -> None:
    spool = recorded(speech(5))
    master = solve(spool, target_lufs=-16, ceiling_dbtp=-1)
    louder = 10 ** (0.45 / 20) * finished(master, spool)
    assert np.abs(finished(master, spool, 0.45) - louder).max() < 1e-6


def test_what_has_no_loudness(recorded: Recorded) -> None:
    with pytest.raises(Unsuitable, match="is silent"):
        solve(recorded(np.zeros((2, RATE))), target_lufs=-16, ceiling_dbtp=-1)
    with pytest.raises(Unsuitable, match=r"too short: 0\.300 s"):
        solve(recorded(sine(100, 0.3)), target_lufs=-16, ceiling_dbtp=-1)
    with pytest.raises(Unsuitable, match="too short: 0"):
        solve(recorded(np.zeros((2, 0))), target_lufs=-16, ceiling_dbtp=-1)
