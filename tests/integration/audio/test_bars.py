from __future__ import annotations

from pathlib import Path
from time import perf_counter

import numpy as np
import pytest

from audio_truth import Samples, pieces, sine
from renderkiln.media.audio.bars import Bars, BarsRecorder
from renderkiln.media.audio.source import RATE
from renderkiln.media.errors import Unreadable

pytestmark = pytest.mark.integration


def recorded(folder: Path, sound: Samples) -> Bars:
    recorder = BarsRecorder(folder)
    for block in pieces(sound, 7777):
        recorder.add(block)
    return recorder.finish(folder / "a.bars")


def silence(seconds: float) -> Samples:
    return np.zeros((2, round(seconds * RATE)))


@pytest.mark.parametrize("count", [3, 24, 48, 400])
@pytest.mark.parametrize("hz", [100, 1000, 8000])
def test_a_tone_raises_the_bars_where_it_is(tmp_path: Path, hz: float, count: int) -> None:
    heights = recorded(tmp_path, sine(hz, 1, 0.5)).levels(0.5, count)
    place = np.log(hz / 60) / np.log(12_000 / 60) * count
    assert heights.shape == (count,)
    assert abs(int(heights.argmax()) + 0.5 - place) <= max(1, 0.05 * count)
    assert heights.max() > (0.4 if count > 3 else 0.1)  # of few bars, each is the mean of many bands
    assert heights.min() >= 0
    assert heights.max() <= 1


def test_bars_follow_the_sound_and_fall_slowly(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, (2, RATE))
    bars = recorded(tmp_path, np.concatenate([silence(1), noise, silence(2)], axis=1))
    means = {time: float(bars.levels(time, 48).mean()) for time in (0.5, 1.5, 2.15, 3.5, 4.1, -1, 1e9)}
    assert means[1.5] > 0.4
    assert 0.1 < means[2.15] / means[1.5] < 0.9
    assert means[3.5] < 0.02
    assert means[0.5] == means[4.1] == means[-1] == means[1e9] == 0


def test_between_two_records_bars_move_in_a_straight_line(tmp_path: Path) -> None:
    bars = recorded(tmp_path, np.random.default_rng(1).normal(0, 0.1, (2, RATE)))
    before, middle, after = (bars.levels(time / 120, 30) for time in (60, 61, 62))
    assert middle == pytest.approx((before + after) / 2, abs=1e-6)


def test_many_bars_are_a_smooth_curve(tmp_path: Path) -> None:
    heights = recorded(tmp_path, sine(1000, 1, 0.5)).levels(0.5, 400)
    assert np.abs(np.diff(heights)).max() < 0.15
    assert np.abs(np.diff(heights, 2)).max() < 0.05  # a corner has 0.16


def test_it_is_small_and_quick_and_leaves_nothing_else(tmp_path: Path) -> None:
    bars = recorded(tmp_path, sine(300, 10))
    assert [(path.name, path.stat().st_size) for path in tmp_path.iterdir()] == [("a.bars", 600 * 48)]
    bars.levels(1.0, 64)
    begun = perf_counter()
    for number in range(500):
        bars.levels(number / 60, 64)
    assert perf_counter() - begun < 500 * 1e-4 * 3  # a third of that on a machine that is idle


def test_no_sound_has_no_bars(tmp_path: Path) -> None:
    assert not recorded(tmp_path, silence(0)).levels(0, 5).any()
    assert not recorded(tmp_path, silence(1)).levels(0.5, 5).any()


def test_what_are_no_bars(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="cannot be read"):
        Bars.load(tmp_path / "none.bars")
    (tmp_path / "b.bars").write_bytes(b"x" * 47)
    with pytest.raises(Unreadable, match="is not whole: it has 47 bytes"):
        Bars.load(tmp_path / "b.bars")
