from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audio_truth import Samples, pulled
from renderkiln.media.audio.timeline import Clip, Timeline
from renderkiln.media.errors import Unreadable

pytestmark = pytest.mark.integration

MakeClip = Callable[[int, Samples], Clip]


def speech(samples: int, seed: int) -> Samples:
    return np.random.default_rng(seed).uniform(-1, 1, samples)


@pytest.mark.parametrize("sizes", [(4800,), (1, 999, 4801), (30_000,)])
def test_each_clip_is_at_its_place_in_both_channels(clip: MakeClip, sizes: tuple[int, ...]) -> None:
    places = {100: speech(5000, 1), 5100: speech(1, 2), 5101: speech(7000, 3), 20_000: speech(1234, 4)}
    expected = np.zeros(30_000, np.float32)
    for start, sound in places.items():
        expected[start : start + len(sound)] = sound
    clips = [clip(start, sound) for start, sound in reversed(places.items())]
    timeline = Timeline(clips)
    assert timeline.end == 21_234
    sound = pulled(timeline, 30_000, sizes)
    assert np.array_equal(sound, [expected, expected])


def test_what_is_active(clip: MakeClip) -> None:
    timeline = Timeline([clip(100, speech(50, 1)), clip(200, speech(50, 2))])
    yes, no = [(0, 101), (149, 150), (249, 900)], [(0, 100), (150, 200), (250, 900)]
    assert all(timeline.active(*span) for span in yes)
    assert not any(timeline.active(*span) for span in no)


def test_without_clips_it_is_silent() -> None:
    timeline = Timeline([])
    assert timeline.end == 0
    assert not timeline.read(10).any()


def test_overlap_is_refused_and_says_where(clip: MakeClip) -> None:
    with pytest.raises(
        ValueError, match=r"48000\.f32' begins at 1\.000 s, while '.*0\.f32' is still heard until 1\.00"
    ):
        Timeline([clip(48_000, speech(10, 1)), clip(0, speech(48_001, 2))])


def test_a_clip_that_is_none_is_refused(clip: MakeClip) -> None:
    good = clip(0, speech(10, 1))
    for wrong in (replace(good, samples=0), replace(good, start=-1)):
        with pytest.raises(ValueError, match="no clip has"):
            Timeline([wrong])


def test_a_file_that_is_missing_or_too_short_is_named(clip: MakeClip, tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"0\.f32' has not the 11 samples it should"):
        Timeline([replace(clip(0, speech(10, 1)), samples=11)])
    with pytest.raises(Unreadable, match=r"none\.f32' cannot be read"):
        Timeline([Clip(0, tmp_path / "none.f32", 5)])
