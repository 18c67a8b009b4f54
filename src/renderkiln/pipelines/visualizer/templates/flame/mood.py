"""What one moment of the music means for the fire."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from renderkiln.media.audio.features import BANDS, RECORD, Features
from renderkiln.media.frames.noise import wrapped

Profile = npt.NDArray[np.float32]

_INERTIA = 0.04  # seconds
_TREBLE_BANDS = 6  # the highest ones are hiss: left out of the profile
_ACROSS = np.linspace(-1, 1, 256)
_SIDEWAYS = np.abs(_ACROSS)  # 0 in the middle, 1 at the sides
_BOWL = 0.36 + 0.64 * np.exp(-2.1 * _SIDEWAYS**2)  # flames are lower at the sides
_PLACE = _SIDEWAYS**1.15 * (BANDS - 1 - _TREBLE_BANDS)  # bass in the middle, treble at the sides
_SOFTEN = np.hanning(31) / np.hanning(31).sum()


def heard(features: Features, index: int) -> Any:
    """The record of a frame without what is too quick for fire to follow.

    A mean over a tenth of a second to both sides, so that nothing lags behind the sound; the onset and the
    phase stay as they are, for a spark is quick.
    """
    reach = int(2.5 * _INERTIA * features.fps)
    first, last = max(0, index - reach), min(len(features), index + reach + 1)
    away = (np.arange(first, last) - index) / (_INERTIA * float(features.fps))
    weight = np.exp(-0.5 * away * away)
    weight /= weight.sum()
    record = np.empty((), RECORD)
    record[()] = features.records[index]
    for name in ("bands", "low", "mid", "high", "rms"):
        record[name] = weight @ features.records[first:last][name]
    return record[()]


class Mood(NamedTuple):
    """What the fire does now. The viewer's choice of intensity is in it."""

    air: float  # treble: wisps above the fire
    flash: float  # onset: lights up filaments
    power: float  # brightness of the whole
    pulse: float  # glow around the fire

    @classmethod
    def of(cls, record: Any, intensity: float) -> Mood:
        """The mood of one feature record."""
        low, mid, high = float(record["low"]), float(record["mid"]), float(record["high"])
        onset, rms = float(record["onset"]), float(record["rms"])
        return cls(
            air=0.05 + (0.30 * high + 0.12 * mid) * intensity,
            flash=onset * intensity,
            power=0.62 + (0.20 * rms + 0.12 * low + 0.05 * onset) * intensity,
            pulse=0.022 + (0.026 * rms + 0.034 * low + 0.020 * onset) * intensity,
        )


class Flow(NamedTuple):
    """How far each layer of noise has moved, in tiles, wrapped to 0 … 1."""

    body: float
    strand: float
    thread: float
    sway: float
    sway_across: float
    drift: float
    veil: float
    haze: float

    @classmethod
    def at(cls, phase: float, seconds: float) -> Flow:
        """The flow after `phase` (driven by the music) and `seconds` (which nothing can stop)."""
        return cls(
            body=wrapped(0.13 * phase),
            strand=wrapped(0.17 * phase),
            thread=wrapped(0.22 * phase),
            sway=wrapped(0.08 * phase),
            sway_across=wrapped(0.10 * phase),
            drift=wrapped(0.045 * seconds),
            veil=wrapped(0.12 * phase),
            haze=wrapped(0.012 * seconds),
        )


def heights(record: Any, intensity: float, columns: int, tall: float) -> Profile:
    """Height of the flames across the picture, left to right, shape (columns,), in picture units.

    `tall` is the height of the picture in these units: flames use some of the room above them.
    """
    spread = np.interp(_PLACE, np.arange(BANDS), record["bands"])
    spread = np.convolve(np.pad(spread, _SOFTEN.size // 2, mode="edge"), _SOFTEN, mode="valid")
    lift = 0.42 * spread + 0.30 * float(record["low"]) * _BOWL
    loudness = 0.58 + 0.40 * float(record["rms"])
    height = (0.19 + lift * intensity * loudness) * _BOWL * tall**0.6
    return np.interp(np.linspace(-1, 1, columns), _ACROSS, height).astype(np.float32)
