"""Edges, rates and word times of finished speech, on signals known by construction."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from renderkiln.media.speech.contract import Speech, Unavailable, Word
from renderkiln.media.speech.finish import RATE, finished
from renderkiln.media.speech.pcm import from_pcm, to_pcm

Mono = npt.NDArray[np.float32]


def tone(seconds: float, rate: int, hertz: float = 440.0, phase: float = 0.0) -> Mono:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate + phase)).astype(
        np.float32
    )


def silence(seconds: float, rate: int) -> Mono:
    return np.zeros(round(seconds * rate), np.float32)


@pytest.mark.parametrize("rate", [16000, 22050, 24000, 44100, 48000])
def test_a_tone_is_the_same_tone_at_48_khz(rate: int) -> None:
    speech = finished(Speech(rate, tone(1.0, rate)))
    assert (speech.rate, len(speech.samples), str(speech.samples.dtype)) == (RATE, RATE, "float32")
    expected = tone(1.0, RATE)
    np.testing.assert_allclose(speech.samples[2400:-2400], expected[2400:-2400], atol=1e-3)


def test_silence_around_it_goes_and_words_stay_in_time() -> None:
    samples = np.concatenate([silence(1.0, 24000), tone(2.0, 24000), silence(0.5, 24000)])
    speech = finished(Speech(24000, samples, (Word("one", 1.0, 2.0), Word("two", 2.0, 3.5))))
    assert speech.seconds == pytest.approx(0.05 + 2.0 + 0.05, abs=0.001)
    assert speech.words[0].start == pytest.approx(0.05, abs=0.001)
    assert speech.words[1].start == pytest.approx(1.05, abs=0.001)
    assert speech.words[1].end == pytest.approx(speech.seconds, abs=1e-6)
    onset = int(np.flatnonzero(np.abs(speech.samples) > 0.1)[0]) / RATE
    assert onset == pytest.approx(speech.words[0].start, abs=0.002)


def test_a_pause_within_and_a_breath_around_are_left_alone() -> None:
    breath = (np.random.default_rng(1).standard_normal(12000) * 1e-3).astype(np.float32)
    samples = np.concatenate([breath, tone(0.5, RATE), silence(2.0, RATE), tone(0.5, RATE), breath])
    assert len(finished(Speech(RATE, samples)).samples) == len(samples)


def test_clicks_are_faded_and_only_clicks() -> None:
    loud = tone(0.5, RATE, phase=np.pi / 2)
    faded = finished(Speech(RATE, loud)).samples
    assert abs(faded[0]) < 0.01 > abs(faded[-1])
    np.testing.assert_array_equal(faded[240:-240], loud[240:-240])
    assert loud[0] == np.float32(0.5), "the provider's own samples are untouched"
    quiet = np.concatenate([silence(0.01, RATE), tone(0.5, RATE), silence(0.01, RATE)])
    np.testing.assert_array_equal(finished(Speech(RATE, quiet)).samples, quiet)


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(0, np.float32),
        np.zeros(48000, np.float32),
        np.full(48000, np.nan, np.float32),
        np.zeros((2, 48000), np.float32),
    ],
    ids=["empty", "silent", "nan", "stereo"],
)
def test_what_is_no_speech(samples: Mono) -> None:
    with pytest.raises(Unavailable):
        finished(Speech(48000, samples))


def test_pcm_there_and_back() -> None:
    every = np.arange(-32768, 32768, dtype="<i2").tobytes()
    assert to_pcm(from_pcm(every)) == every
    for loud in (1.0, 1e-6, -1.1):
        assert to_pcm(np.array([0.5, loud], np.float32)) is None
