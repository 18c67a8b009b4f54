"""Finds steady tones under speech and music, and says how high, how loud and how clear they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from renderkiln.media.audio.stereo import Block

Baseband = npt.NDArray[np.complex128]

HOPS_PER_SECOND = 10
SEARCH = 0.5  # Hz on both sides of what is expected
MIN_SECONDS = 3.0  # below, the lobe of the window is wider than the search
_PROMINENCE = 15.0  # dB over the median of the neighbourhood; noise alone reaches 11 dB in 3 h
_SMOOTHING = 2 * HOPS_PER_SECOND
_SILENT = 1e-7


@dataclass(frozen=True)
class Expected:
    """A steady tone that should be in the track: in the left (0) or right (1) channel, or None: in both."""

    hz: float
    channel: Literal[0, 1] | None = None


@dataclass(frozen=True)
class Tone:
    """What was found of an expected tone; everything is None where it is missing.

    `level` is in dBFS, 0 being a sine that fills the scale. `snr` is the tone's power over that of everything
    else within 5 Hz of it, in dB. `separation` says how much softer the other ear hears it, in dB; None for
    tones of both channels.
    """

    expected: Expected
    hz: float | None = None
    level: float | None = None
    snr: float | None = None
    separation: float | None = None


class ToneMeter:
    """Feed it blocks of shape (2, n), then ask for the tones. Keeps 320 bytes a second for each frequency.

    Each channel is mixed down by the expected frequency, under triangular windows of 200 ms that begin every
    100 ms: what is left is a slow rotation, whose rate is the tone's distance from what was expected. The
    phase it is mixed with is counted in whole samples, so that it is exact after hours.
    """

    def __init__(self, rate: int, expected: Sequence[Expected]) -> None:
        self._rate = rate
        self._hop = rate // HOPS_PER_SECOND
        self._expected = tuple(expected)
        self._frequencies = sorted({tone.hz for tone in expected})
        self._table = self._windows()
        self._rest: Block = np.empty((2, 0), np.float32)
        self._sums: list[npt.NDArray[np.float32]] = []

    def add(self, block: Block) -> None:
        """Measure the next samples, float32 of shape (2, n)."""
        if not self._frequencies:
            return
        sound = np.concatenate([self._rest, block], axis=1) if self._rest.size else block
        hops = sound.shape[1] // self._hop
        whole = sound[:, : hops * self._hop].reshape(2, hops, self._hop)
        self._rest = sound[:, hops * self._hop :].copy()
        if hops:
            self._sums.append((whole @ self._table).transpose(1, 0, 2))

    def tones(self) -> tuple[Tone, ...]:
        """What was found so far, in the order of what was expected."""
        if len(self._sums) == 0:
            return tuple(Tone(tone) for tone in self._expected)
        basebands = self._basebands()
        return tuple(_tone(tone, *basebands[tone.hz]) for tone in self._expected)

    def _windows(self) -> npt.NDArray[np.float32]:
        """Shape (hop, 4 per frequency): the rising and falling half of the window, times cosine and −sine."""
        n = np.arange(self._hop)
        rising = (n + 0.5) / self._hop
        columns = [
            half * wave(2 * np.pi * hz / self._rate * n)
            for hz in self._frequencies
            for half in (rising, 1 - rising)
            for wave in (np.cos, lambda phase: -np.sin(phase))
        ]
        return (
            np.stack(columns, axis=1).astype(np.float32) if columns else np.empty((self._hop, 0), np.float32)
        )

    def _basebands(self) -> dict[float, tuple[Baseband, Baseband]]:
        """For each frequency both channels: amplitude and phase of the tone, ten times a second."""
        sums = np.concatenate(self._sums).astype(np.float64)
        found = {}
        for number, hz in enumerate(self._frequencies):
            parts = sums[:, :, 4 * number : 4 * number + 4]
            turns = np.arange(len(sums)) * (self._hop * hz / self._rate) % 1.0
            back = np.exp(-2j * np.pi * turns)[:, None] * 2 / self._hop
            rising, falling = ((parts[..., k] + 1j * parts[..., k + 1]) * back for k in (0, 2))
            left, right = (rising[:-1] + falling[1:]).T
            found[hz] = (left, right)
        return found


def _tone(expected: Expected, left: Baseband, right: Baseband) -> Tone:
    here = (left + right) / 2 if expected.channel is None else (left, right)[expected.channel]
    offset = _offset(here)
    if offset is None:
        return Tone(expected)
    level, noise = _steady(here, offset)
    separation = None
    if expected.channel is not None:
        other, _ = _steady((right, left)[expected.channel], offset)
        separation = _decibels(level / max(other, _SILENT))
    return Tone(
        expected,
        hz=expected.hz + offset,
        level=_decibels(level),
        snr=_decibels(level / max(noise, _SILENT)),
        separation=separation,
    )


def _offset(baseband: Baseband) -> float | None:
    """How far from 0 Hz the strongest line within `SEARCH` is; None if nothing stands out.

    The peak of the windowed spectrum is the best estimate there is for one tone in noise (Rife, Boorstyn
    1974); the parabola through its logarithms (Abe, Smith 2004) makes it exact to a hundredth of a bin.
    """
    length = len(baseband)
    if length < MIN_SECONDS * HOPS_PER_SECOND or np.abs(baseband).max() < _SILENT:
        return None
    size = 4 << (length - 1).bit_length()
    spectrum = np.abs(np.fft.fft(baseband * np.hanning(length + 2)[1:-1], size))
    reach = math.ceil(SEARCH / HOPS_PER_SECOND * size)
    near = np.concatenate([spectrum[-reach:], spectrum[: reach + 1]])
    at = int(near.argmax())
    if _decibels(float(near[at]) / float(np.median(spectrum))) < _PROMINENCE or at in (0, len(near) - 1):
        return None
    below, peak, above = np.log(near[at - 1 : at + 2] + 1e-30)
    shift = 0.5 * (below - above) / (below - 2 * peak + above)
    return float(at - reach + shift) * HOPS_PER_SECOND / size


def _steady(baseband: Baseband, offset: float) -> tuple[float, float]:
    """Amplitudes of the tone, where it is neither faded in nor out, and of all else in the band."""
    turned = baseband * np.exp(-2j * np.pi * offset / HOPS_PER_SECOND * np.arange(len(baseband)))
    width = min(_SMOOTHING, len(turned))
    sums = np.concatenate([np.zeros(1), np.cumsum(turned)])
    smooth = (sums[width:] - sums[:-width]) / width
    amplitude = float(np.median(np.abs(smooth)))
    power = float(np.mean(np.abs(turned) ** 2))
    steady = float(np.mean(np.abs(smooth) ** 2))
    return amplitude, math.sqrt(max(power - steady, 0.0))


def _decibels(ratio: float) -> float:
    return 20 * math.log10(max(ratio, 1e-12))
