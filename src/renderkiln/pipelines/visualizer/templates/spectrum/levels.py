"""How high the bars stand, and their peak caps: functions of the features alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from renderkiln.media.audio.features import BANDS, Features

Levels = npt.NDArray[np.float32]

HOLD = 0.12  # seconds a cap waits before it falls
FALL = 0.55  # bar heights per second², as gravity
MEMORY = 1.6  # seconds after which a peak is surely below the bars again
LEAST = 0.012  # a bar never vanishes: silence is a row of small lights


class Bars:
    """Levels of `count` bars, mirrored around the lowest band in the middle."""

    def __init__(self, features: Features, count: int, intensity: float) -> None:
        self._records = features.records
        self._fps = float(features.fps)
        self._gain = intensity
        half = (count + 1) // 2
        # Half-way to either side lies the highest band; an even count has two bars in the middle.
        distance = np.abs(np.arange(count) - (count - 1) / 2)
        self._place = distance / max(half - 0.5, 1) * (BANDS - 1)

    def levels(self, index: int) -> Levels:
        """Heights at a frame, 0 … about 1, float32 of shape (count,)."""
        return self._shaped(self._records["bands"][index])

    def peaks(self, index: int) -> Levels:
        """Heights of the caps: the highest of the recent levels, each fallen since under gravity."""
        first = max(0, index - round(MEMORY * self._fps))
        ages = (index - np.arange(first, index + 1)) / self._fps
        fallen = FALL * np.maximum(ages - HOLD, 0) ** 2
        recent = self._shaped(self._records["bands"][first : index + 1])
        return np.asarray((recent - fallen[:, None].astype(np.float32)).max(axis=0))

    def _shaped(self, bands: npt.NDArray[np.float32]) -> Levels:
        """From band energies to heights: interpolated between the bands, loud parts set apart from soft."""
        low = self._place.astype(np.intp)
        high = np.minimum(low + 1, BANDS - 1)
        part = (self._place - low).astype(np.float32)
        between = bands[..., low] * (1 - part) + bands[..., high] * part
        shaped = LEAST + 0.92 * np.float32(self._gain) * between ** np.float32(2.2)
        # A soft knee: intensity may ask for more than the picture's height.
        return np.asarray(np.where(shaped < 0.8, shaped, 1.2 - 0.16 / (shaped - 0.4)), np.float32)
