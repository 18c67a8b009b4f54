"""The shape of the line at a frame: a function of the features alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from renderkiln.media.audio.features import WAVE_POINTS, Features

Trace = npt.NDArray[np.float32]

SURVEY = 1500  # frames looked at to find the film's usual peak


class Traces:
    """Waves as float32 of shape (WAVE_POINTS,), about -1 … 1 in the loud parts of the film."""

    def __init__(self, features: Features, intensity: float) -> None:
        self._waves = features.records["wave"]
        self._gain = intensity / _usual_peak(self._waves)

    def at(self, index: int, softness: float) -> Trace:
        """The wave of a frame, smoothed by `softness` points, at rest at both ends."""
        wave = _smooth(self._waves[index].astype(np.float32), softness)
        return np.asarray(np.tanh(wave * np.float32(self._gain) * _TAPER), np.float32)


def _usual_peak(waves: npt.NDArray[np.int16]) -> float:
    step = max(1, len(waves) // SURVEY)
    peaks = np.abs(waves[::step].astype(np.float32)).max(axis=1)
    return max(float(np.percentile(peaks, 90)), 33.0)  # -60 dB: noise is not blown up


def _smooth(wave: Trace, sigma: float) -> Trace:
    reach = max(1, int(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(sigma, 0.1)) ** 2).astype(np.float32)
    padded = np.pad(wave, reach, "edge")
    return np.convolve(padded, kernel / kernel.sum(), "valid").astype(np.float32)


_x = (np.arange(WAVE_POINTS) + 0.5) / WAVE_POINTS
_TAPER = (np.sin(np.pi * _x) ** 0.8).astype(np.float32)  # the ends come to rest
