"""The demo track, listened to by measuring."""

import itertools
from pathlib import Path

import av
import numpy as np
import pytest

from renderkiln.media.audio.compose import compose, excerpt, write
from renderkiln.media.audio.loudness import Meter
from renderkiln.media.audio.studio.score import BAR, BEAT, LENGTH, MELODY, SECTIONS, first_beat
from renderkiln.media.audio.studio.synth import RATE, Sound


@pytest.fixture(scope="module")
def track() -> Sound:
    return compose()


def measured(sound: Sound) -> Meter:
    meter = Meter(RATE)
    meter.add(np.ascontiguousarray(sound.T))
    return meter


def section(track: Sound, name: str) -> Sound:
    number = [each.name for each in SECTIONS].index(name)
    start = first_beat(name)
    end = start + BAR * len(SECTIONS[number].bars)
    return track[round(start * BEAT * RATE) : round(end * BEAT * RATE)]


def test_it_is_twenty_seconds_at_the_loudness_of_streaming(track: Sound) -> None:
    loudness = measured(track).result()
    assert track.shape == (20 * RATE, 2)
    assert pytest.approx(20.0) == LENGTH
    assert loudness.integrated == pytest.approx(-14.0, abs=0.1)
    assert loudness.true_peak <= -1.0
    assert np.isfinite(track).all()


def test_it_has_the_form_that_pictures_need(track: Sound) -> None:
    embers, kindling, blaze, breath, finale = (
        measured(section(track, each.name)).result().integrated for each in SECTIONS
    )
    assert embers + 5 < kindling < blaze - 2
    assert breath < blaze - 4
    assert finale > breath + 4
    halves = np.split(section(track, "kindling")[: 2 * 170_000], 2)
    assert measured(halves[1]).result().integrated > measured(halves[0]).result().integrated + 1.5


def test_it_is_wide_but_survives_mono(track: Sound) -> None:
    for each in SECTIONS:
        assert 0.2 < np.asarray(np.corrcoef(section(track, each.name).T))[0, 1] < 0.95
    assert np.abs(track.mean(axis=0)).max() < 1e-3


def test_nothing_clicks(track: Sound) -> None:
    assert not track[0].any()
    assert np.abs(track[-480:]).max() < 1e-3
    # In the embers there is no drum: a step from sample to sample would be a click.
    assert np.abs(np.diff(section(track, "embers")[:150_000], axis=0)).max() < 0.05
    for cut in (excerpt(track, 6.5, 2.0), excerpt(track, 11.0, 0.5)):
        assert np.abs(cut[[0, -1]]).max() < 1e-3


def test_a_seed_is_a_performance(track: Sound) -> None:
    assert np.array_equal(track, compose())
    assert not np.array_equal(track, compose(seed=1))


def test_melody_notes_fit_their_bars() -> None:
    for bar, notes in MELODY.items():
        assert 0 <= bar < LENGTH / BEAT / BAR
        assert all(beat >= 0 and beat + length <= BAR for beat, length, _ in notes)
        assert all(a[0] + a[1] <= b[0] + 1e-9 for a, b in itertools.pairwise(notes) if b[0] > a[0])


def test_what_is_written_is_what_was_composed(track: Sound, tmp_path: Path) -> None:
    path = tmp_path / "track.wav"
    write(path, track[:RATE])
    with av.open(str(path)) as file:
        stream = file.streams.audio[0]
        assert (stream.rate, stream.channels, stream.codec_context.name) == (RATE, 2, "pcm_s24le")
        read = np.concatenate([frame.to_ndarray() for frame in file.decode(stream)], axis=1)
    assert np.abs(read.reshape(-1, 2) / 2**31 - track[:RATE]).max() < 2**-22
