"""Frequencies with names: the nine Solfeggio tones, and the bands of brain waves that beats are made for."""

from __future__ import annotations

from dataclasses import dataclass

SOLFEGGIO = (174, 285, 396, 417, 528, 639, 741, 852, 963)  # Hz


@dataclass(frozen=True)
class Band:
    """Beats from `low` to `high`; `beat` and `carrier` are taken where none is given. All in Hz."""

    low: float
    high: float
    beat: float
    carrier: float

    def holds(self, beat: float) -> bool:
        return self.low <= beat <= self.high


# Low carriers suit slow beats: two tones a few hertz apart are heard as one beating tone up to about 1 kHz.
BANDS = {
    "delta": Band(0.5, 4.0, 2.5, 140.0),
    "theta": Band(4.0, 8.0, 6.0, 200.0),
    "alpha": Band(8.0, 13.0, 10.0, 220.0),
    "beta": Band(13.0, 30.0, 18.0, 250.0),
    "gamma": Band(30.0, 100.0, 40.0, 300.0),
}


def band_of(beat: float) -> str:
    """The name of the band that a beat of 0.5 … 100 Hz lies in; on a border, the lower one."""
    return next(name for name, band in BANDS.items() if band.holds(beat))
