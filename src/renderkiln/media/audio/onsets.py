"""Onsets: the instants at which something new sounds, as an envelope that jumps and decays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Track = npt.NDArray[np.float32]

_APART = 0.04  # seconds between two onsets at least
_NEIGHBOURHOOD = 0.5  # seconds either side that an onset must stand out of
_DECAY = 0.2  # seconds to 1/e
_CEILING = 1.5


def onset_envelope(flux: Track, tick: float, floor: float) -> Track:
    """Peak-picked spectral flux (S. Dixon 2006), 0 … 1.5: jumps at an onset, then decays.

    `flux` is sampled every `tick` seconds. Strong onsets of the track come to about 1; a flux below `floor`
    never counts for much, so that the hiss of a silent track stays dark.
    """
    mean = smoothed(flux, round(_NEIGHBOURHOOD / tick))
    excess = flux - mean * np.float32(1.3)
    peaks = _local_maxima(flux, round(_APART / tick)) & (excess > 0)
    if not peaks.any():
        return np.zeros_like(flux)
    strong = max(float(np.percentile(excess[peaks], 90)), floor)
    strength = np.where(peaks, np.minimum(excess / np.float32(strong), np.float32(_CEILING)), 0)
    strength[strength < 0.08] = 0
    return _decaying(strength, _DECAY / tick)


def smoothed(track: Track, radius: int) -> Track:
    """Mean over `radius` ticks either side, twice: without lag, without corners. The ends are repeated."""
    for _ in range(2):
        padded = np.pad(track.astype(np.float64), (radius + 1, radius), mode="edge")
        running = np.cumsum(padded)
        track = ((running[2 * radius + 1 :] - running[: -2 * radius - 1]) / (2 * radius + 1)).astype(
            np.float32
        )
    return track


def _local_maxima(track: Track, radius: int) -> npt.NDArray[np.bool_]:
    highest = np.ones(track.size, np.bool_)
    for shift in range(1, radius + 1):
        highest[shift:] &= track[shift:] > track[:-shift]
        highest[:-shift] &= track[:-shift] >= track[shift:]
    return highest


def _decaying(strength: npt.NDArray[np.float64], ticks: float) -> Track:
    """Every value falls by 1/e in `ticks`, unless a higher one comes: a running maximum in the log domain."""
    age = np.arange(strength.size) / ticks
    with np.errstate(divide="ignore"):
        level = np.maximum.accumulate(np.log(strength) + age)
    return np.exp(level - age).astype(np.float32)
