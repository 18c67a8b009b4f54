"""When the music steps back, and that nobody hears how."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from audio_truth import Recording, Samples, sine
from renderkiln.media.audio.duck import Duck
from renderkiln.media.audio.mix import Layer, Mix
from renderkiln.media.audio.source import RATE
from renderkiln.media.audio.timeline import Clip

pytestmark = pytest.mark.integration

MakeClip = Callable[[int, Samples], Clip]
DOWN = 10 ** (-8 / 20)


def spoken(*parts: tuple[float, float]) -> Samples:
    """Tone bursts of (seconds, amplitude), one after the other."""
    levels = np.concatenate([np.full(round(seconds * RATE), level) for seconds, level in parts])
    return levels * np.sin(2 * np.pi * 200 * np.arange(len(levels)) / RATE)


def test_it_is_down_before_the_voice_comes_and_up_after_it(clip: MakeClip) -> None:
    gains = Duck([clip(2 * RATE, spoken((1, 0.3)))]).gains(0, 6000)
    assert np.all(gains[:1751] == 1)
    assert gains[1800] == pytest.approx(10 ** (-8 * 0.0955 / 20), abs=1e-3)  # a fifth of the way
    assert gains[1875] == pytest.approx(10 ** (-4 / 20), abs=1e-3)  # half of the decibels half-way
    assert gains[2000:3001] == pytest.approx(DOWN, abs=1e-6)
    assert gains[3450] == pytest.approx(10 ** (-4 / 20), abs=1e-3)
    assert np.all(gains[3900:] == 1)
    assert np.all(np.diff(gains[1750:2000]) <= 0)
    assert np.all(np.diff(gains[3000:3900]) >= 0)


def test_it_does_not_pump_between_words(clip: MakeClip) -> None:
    words = spoken((0.5, 0.3), (0.8, 0), (0.4, 0.1), (1.1, 0), (0.5, 0.3))
    duck = Duck([clip(RATE, words)])
    assert duck.phrases == [(1000, 4300)]
    assert duck.gains(1000, 3300) == pytest.approx(DOWN, abs=1e-6)


def test_a_long_silence_within_a_clip_lets_the_music_back(clip: MakeClip) -> None:
    duck = Duck([clip(0, spoken((1, 0.3), (4, 0), (1, 0.3)))])
    assert duck.phrases == [(0, 1000), (5000, 6000)]
    assert duck.gains(3000, 1)[0] == 1


def test_breath_and_hum_below_the_voice_are_no_speech(clip: MakeClip) -> None:
    assert Duck([clip(0, spoken((1, 0.3), (3, 0.005), (1, 0.2)))]).phrases == [(0, 1000), (4000, 5000)]
    assert Duck([clip(0, spoken((2, 0.0005)))]).phrases == []


def test_a_soft_voice_ducks_as_a_loud_one_does(clip: MakeClip) -> None:
    quiet = Duck([clip(0, spoken((1, 0.02), (2, 0), (1, 0.01)))])
    assert quiet.phrases == [(0, 1000), (3000, 4000)]


def test_phrases_go_on_from_clip_to_clip(clip: MakeClip) -> None:
    duck = Duck(
        [clip(3 * RATE, spoken((1, 0.3))), clip(RATE, spoken((1, 0.3))), clip(6 * RATE, spoken((1, 0.3)))]
    )
    assert duck.phrases == [(1000, 4000), (6000, 7000)]


@pytest.mark.parametrize("size", [1, 37, 500])
def test_how_it_is_asked_makes_no_difference(clip: MakeClip, size: int) -> None:
    duck = Duck([clip(RATE, spoken((0.5, 0.3), (1.3, 0), (0.5, 0.3)))])
    parts = [duck.gains(first, min(size, 5000 - first)) for first in range(0, 5000, size)]
    assert np.concatenate(parts) == pytest.approx(duck.gains(0, 5000), abs=1e-6)


def test_a_ducked_tone_has_no_zipper_noise(clip: MakeClip) -> None:
    """All that ducking adds to a tone is within 100 Hz of it, 90 dB down beyond."""
    duck = Duck([clip(2 * RATE, spoken((1, 0.3)))])
    mix = Mix([Layer(Recording(sine(997, 6, 0.5)), ducked=True)], 5 * RATE, duck)
    sound = np.concatenate(list(mix.blocks()), axis=1)[0, : round(4.5 * RATE)]
    spectrum = 20 * np.log10(np.abs(np.fft.rfft(sound * np.blackman(len(sound)))) + 1e-9)
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    assert spectrum[np.abs(hertz - 997) > 100].max() < spectrum.max() - 90


def test_only_ducked_layers_step_back(clip: MakeClip) -> None:
    duck = Duck([clip(RATE, spoken((1, 0.3)))])
    for ducked, level in ((False, 0.5), (True, 0.5 * DOWN)):
        mix = Mix([Layer(Recording(sine(1000, 3, 0.5)), ducked=ducked)], 3 * RATE, duck)
        sound = np.concatenate(list(mix.blocks()), axis=1)
        assert np.abs(sound[:, RATE : 2 * RATE]).max() == pytest.approx(level, abs=1e-3)


def test_without_a_voice_nothing_moves(tmp_path: Path) -> None:
    assert np.all(Duck([]).gains(0, 1000) == 1)


def test_what_is_no_ducking() -> None:
    with pytest.raises(ValueError, match="0 dB or less"):
        Duck([], 3)
    with pytest.raises(ValueError, match="longer than both"):
        Duck([], hold=1)
