from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from renderkiln.media.audio.peaks import Peaks


@pytest.mark.parametrize("seconds", [0.001, 1, 21.9, 22, 61, 700])
@pytest.mark.parametrize("channels", [1, 2])
def test_every_pixel_is_the_true_range_of_its_samples(seconds: float, channels: Literal[1, 2]) -> None:
    rate = 8000
    rng = np.random.default_rng(0)
    sound = rng.uniform(-1, 1, (2, round(rate * seconds))).astype(np.float32)
    peaks = Peaks(rate, channels=channels, bits=16)
    for start in range(0, sound.shape[1], 7919):
        peaks.add(sound[:, start : start + 7919])
    outline = peaks.to_json()
    scale = outline["samples_per_pixel"]
    heard = sound if channels == 2 else sound.mean(axis=0, keepdims=True)
    pixels = [heard[:, start : start + scale] for start in range(0, sound.shape[1], scale)]
    expected = np.array([np.stack([pixel.min(1), pixel.max(1)], axis=1) for pixel in pixels])
    got = np.array(outline["data"]).reshape(-1, channels, 2) / 32768
    assert outline["length"] == len(pixels) <= 4097
    assert len(pixels) >= 2048 or scale == 256
    np.testing.assert_allclose(got, expected, atol=1 / 32768)


def test_the_header_is_audiowaveforms() -> None:
    peaks = Peaks(44100)
    peaks.add(np.full((2, 256), 2.0, np.float32))
    assert peaks.to_json() == {
        "version": 2,
        "channels": 1,
        "sample_rate": 44100,
        "samples_per_pixel": 256,
        "bits": 8,
        "length": 1,
        "data": [127, 127],
    }
