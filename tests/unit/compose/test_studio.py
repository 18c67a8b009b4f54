import numpy as np
import pytest

from renderkiln.media.audio.studio import master
from renderkiln.media.audio.studio.reverb import echo, room
from renderkiln.media.audio.studio.synth import RATE, Sound, decay, filtered, hertz, pan, saw, sine, swell

SECOND = RATE


def level(sound: Sound) -> float:
    return float(np.sqrt(np.mean(np.square(sound.astype(np.float64)))))


def test_pitches_are_in_equal_temperament() -> None:
    assert hertz(69) == 440.0
    assert hertz(60) == pytest.approx(261.6256, abs=1e-4)


def test_the_saw_hardly_aliases() -> None:
    wave = saw(2637.0, SECOND)
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(SECOND)))
    harmonics = [k * 2637 for k in range(1, 10) if k * 2637 < RATE / 2]
    own = max(spectrum[f - 2 : f + 3].max() for f in harmonics)
    for f in harmonics:
        spectrum[f - 3 : f + 4] = 0
    assert 20 * np.log10(spectrum[20:18000].max() / own) < -30


def test_the_filter_passes_below_and_stops_above() -> None:
    low, high = sine(200.0, SECOND), sine(8000.0, SECOND)
    assert level(filtered(low, 1000.0)) == pytest.approx(level(low), rel=0.03)
    assert level(filtered(high, 1000.0)) < 0.02 * level(high)


def test_envelopes_begin_and_end_at_nothing() -> None:
    for envelope in (swell(4800, 0.01, 0.02), decay(4800, 0.1)):
        assert envelope[0] == 0
        assert envelope[-1] < 0.01
        assert np.abs(np.diff(envelope)).max() < 0.02


def test_panning_keeps_the_power() -> None:
    tone = sine(440.0, SECOND)
    for position in (-1.0, -0.3, 0.0, 0.8):
        sides = pan(tone, position)
        assert level(sides[:, 0]) ** 2 + level(sides[:, 1]) ** 2 == pytest.approx(level(tone) ** 2, rel=1e-3)


def test_the_room_decays_by_sixty_decibels_in_its_time() -> None:
    impulse = np.zeros((3 * SECOND, 2), np.float32)
    impulse[0] = 1.0
    wet = room(impulse, 2.0, damping=0.0)
    early, late = (
        level(wet[SECOND // 2 : SECOND // 2 + 9600]),
        level(wet[SECOND * 3 // 2 : SECOND * 3 // 2 + 9600]),
    )
    assert 20 * np.log10(early / late) == pytest.approx(30.0, abs=3.0)
    assert abs(np.asarray(np.corrcoef(wet[9600:].T))[0, 1]) < 0.3


def test_echoes_walk_from_side_to_side() -> None:
    left = np.zeros((SECOND, 2), np.float32)
    left[0, 0] = 1.0
    echoes = echo(left, 0.1, feedback=0.5, repeats=2)
    assert echoes[4800].tolist() == [0.0, 0.5]
    assert echoes[9600].tolist() == [0.25, 0.0]


def test_true_peaks_find_what_lies_between_the_samples() -> None:
    tone = sine(RATE / 4, SECOND, phase=0.125)  # every sample at 0.707, the wave at 1
    peaks = master.true_peaks(pan(tone, 0.0) * np.float32(2**0.5))
    assert np.abs(tone).max() < 0.71
    assert np.median(peaks) == pytest.approx(1.0, abs=0.02)


def test_the_limiter_holds_its_ceiling_and_leaves_quiet_sound_alone() -> None:
    quiet = pan(sine(300.0, 2 * SECOND), 0.0) * np.float32(0.2)
    loud = quiet.copy()
    loud[SECOND : SECOND + 2400] *= 12
    held = master.limited(loud, 0.5)
    assert master.true_peaks(held).max() <= 0.5 + 1e-4
    assert np.array_equal(held[: SECOND // 2], quiet[: SECOND // 2])


def test_bass_is_in_the_middle() -> None:
    left = np.stack([sine(50.0, SECOND), np.zeros(SECOND, np.float32)], axis=1)
    narrowed = master.narrow_bass(left)[9600:]
    assert level(narrowed[:, 0]) == pytest.approx(level(narrowed[:, 1]), rel=0.2)
