"""How high the bars of a waveform stand at any time of a sound."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from renderkiln.media.audio.features import BANDS
from renderkiln.media.audio.source import RATE, Block
from renderkiln.media.audio.spectrum import SpectrumAnalyser
from renderkiln.media.container import shown
from renderkiln.media.errors import Unreadable

LOWEST, HIGHEST = 60.0, 12_000.0  # Hz, from the first bar to the last
_BANDS_FROM, _BANDS_TO = 30.0, 14_000.0  # Hz, of the analyser
_PER_SECOND = 60
_FULL = 1.2  # a band's level that is a full bar
_CHUNK = 4096  # records

Heights = npt.NDArray[np.float32]


class BarsRecorder:
    """Feed it a sound with `add`, then `finish`. Memory does not grow with its length, but `scratch` fills.

    (By 120 kB a second until it is finished; 3 kB remain.)
    """

    def __init__(self, scratch: Path) -> None:
        self._analyser = SpectrumAnalyser(RATE, Fraction(_PER_SECOND), scratch)
        self._samples = 0

    def add(self, block: Block) -> None:
        """The next samples, float32 of shape (2, n) at 48 kHz."""
        self._analyser.add(block.mean(axis=0))
        self._samples += block.shape[1]

    def finish(self, path: Path) -> Bars:
        """Write the file `path`. Nothing can be added after this. Raises OSError."""
        raw = path.with_name(f"{path.name}.features")
        features = self._analyser.finish(raw, -(-self._samples * _PER_SECOND // RATE))
        with path.open("wb") as file:
            for first in range(0, len(features), _CHUNK):
                bands = features.records["bands"][first : first + _CHUNK]
                file.write(np.rint(np.clip(bands / _FULL, 0, 1) * 255).astype(np.uint8).tobytes())
                features.let_go()
        raw.unlink()
        return Bars.load(path)


class Bars:
    """Levels of 48 bands, 60 times a second, a byte each: what `BarsRecorder` has written.

    They rise within 20 ms and fall within 200 ms, and are relative to the loud moments of the whole sound.
    """

    def __init__(self, records: npt.NDArray[np.uint8]) -> None:
        self._records = records  # (n, BANDS)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Map a file. Raises Unreadable when it is none."""
        try:
            size = path.stat().st_size
            if size % BANDS:
                raise Unreadable(f"{shown(path)} is not whole: it has {size} bytes")
            if size == 0:  # nothing can be mapped
                return cls(np.empty((0, BANDS), np.uint8))
            return cls(np.asarray(np.memmap(path, np.uint8, "r", shape=(size // BANDS, BANDS))))
        except OSError as error:
            raise Unreadable(f"{shown(path)} cannot be read: {error.strerror}") from None

    @classmethod
    def steady(cls, levels: Heights, seconds: float) -> Self:
        """Of a sound that does not change: `levels` from 0 to 1, of shape (BANDS,), for so long."""
        records = np.rint(np.clip(levels, 0, 1) * 255).astype(np.uint8)
        return cls(np.broadcast_to(records, (round(seconds * _PER_SECOND) + 2, BANDS)))

    def levels(self, time: float, bars: int) -> Heights:
        """Heights from 0 to 1 of so many bars, of shape (bars,); from low tones to high ones, by octaves.

        `time` is in seconds; before and after the sound all are 0.
        """
        place = time * _PER_SECOND
        if not 0 <= place < len(self._records):
            return np.zeros(bars, np.float32)
        first, share = int(place), np.float32(place % 1)
        now = self._records[first].astype(np.float32)
        if first + 1 < len(self._records):
            now += (self._records[first + 1] - now) * share
        return np.einsum("ij,j->i", _weights(bars), now)  # no BLAS: it would wake its threads for a trifle


@cache
def _weights(bars: int) -> Heights:
    """How much of each band is in each bar, of shape (bars, BANDS); a full band is 255.

    Raised cosines, as wide as a bar and at least two bands: many bars are a curve without corners, and few
    leave no band out.
    """
    tones = LOWEST * (HIGHEST / LOWEST) ** ((np.arange(bars) + 0.5) / bars)
    places = BANDS * np.log(tones / _BANDS_FROM) / np.log(_BANDS_TO / _BANDS_FROM) - 0.5
    width = max(1.0, BANDS * np.log(HIGHEST / LOWEST) / np.log(_BANDS_TO / _BANDS_FROM) / bars)
    distance = np.abs(np.arange(BANDS) - places[:, None]) / width
    weights = 0.5 + 0.5 * np.cos(np.pi * np.clip(distance, 0, 1))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True) / 255, np.float32)
