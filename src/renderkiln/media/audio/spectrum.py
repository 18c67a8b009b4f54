"""What the pictures hear: features of a track, computed as a stream and stored one record per frame.

The analysis runs on a clock of its own, 100 ticks a second, and is read at the instant of each frame: a film
at 24 and one at 60 frames a second show the same thing at the same time. The first pass keeps raw levels;
the second knows how loud the track is as a whole and scales them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from renderkiln.media.audio.features import BANDS, RECORD, WAVE_POINTS, Features
from renderkiln.media.audio.onsets import onset_envelope, smoothed
from renderkiln.media.audio.oscilloscope import Oscilloscope
from renderkiln.media.frames.kernel import kernel

Samples = npt.NDArray[np.float32]

TICKS = 100  # per second
_WINDOW = 0.046  # seconds, about: a power of two of samples
_LOWEST, _HIGHEST = 30.0, 14000.0  # Hz
_LOW, _MID = 12, 30  # first band that is no longer bass, no longer middle
_SILENCE = 1e-12  # power; -120 dB
_QUIETEST = -40.0  # dBFS: a track below this is not turned up any further
_RANGE = 42.0  # dB from a band's loud level down to nothing
_CONTRAST = 1.5  # exponent on that range: accents stand out
_ATTACK, _RELEASE = 0.020, 0.200  # seconds
_FLUX_LAG = 2  # ticks
_CHUNK = 4096  # ticks

_BINS = 320  # of the level histograms, half a decibel each
_LEAST, _PER_DECIBEL = -120.0, 2.0


class SpectrumAnalyser:
    """Feed it the mono track with `add`, then `finish`. Memory does not grow with the length of the track.

    (A few bytes a tick aside: 30 MB for twelve hours.) Raw levels lie in a temporary file in `scratch`,
    by default the system's folder for them: 70 kB a second at 60 frames a second.
    """

    def __init__(self, rate: int, fps: Fraction, scratch: Path | None = None) -> None:
        self._rate, self._fps = rate, fps
        self._size = 1 << round(np.log2(rate * _WINDOW))
        self._scope = Oscilloscope(rate)
        self._reach = max(self._size // 2, self._scope.reach)
        self._taper = np.hanning(self._size + 1)[:-1].astype(np.float32)
        self._filters, self._edges = _log_filters(rate, self._size, float(self._taper.sum()))
        self._buffer = np.zeros(self._reach, np.float32)  # its first sample is number `_origin` of the track
        self._origin = -self._reach
        self._pending: list[Samples] = []
        self._waiting = 0
        self._ticks = self._frames = 0
        self._levels: IO[bytes] = tempfile.TemporaryFile(dir=scratch)  # noqa: SIM115  # closed by finish
        self._waves: IO[bytes] = tempfile.TemporaryFile(dir=scratch)  # noqa: SIM115
        self._rms: list[Samples] = []
        self._flux: list[Samples] = []
        self._histogram = np.zeros((BANDS, _BINS), np.int64)
        self._before = np.full((_FLUX_LAG, BANDS), _SILENCE**0.25, np.float32)

    def add(self, mono: Samples) -> None:
        """Take the next block of the track: float32, any length, full scale 1.0; what is not finite is 0."""
        self._pending.append(np.nan_to_num(mono, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32))
        self._waiting += mono.size
        if self._waiting >= self._rate:
            self._advance()

    def finish(self, path: Path, frames: int) -> Features:
        """Write exactly `frames` records to `path` (.npy) and map them; frame i is what sounds at i / fps.

        The analyser is used up by this.
        """
        instants = self._instants(frames)
        ticks = int(instants[-1]) + 2 if frames else 2
        end = max(self._sample_of_tick(ticks), self._sample_of_frame(frames)) + self._reach + 1
        have = self._origin + self._buffer.size + self._waiting
        self._pending.append(np.zeros(max(end - have, 0), np.float32))
        self._advance()
        with self._levels, self._waves, path.open("wb") as file:
            header = {
                "descr": np.lib.format.dtype_to_descr(RECORD),
                "fortran_order": False,
                "shape": (frames,),
            }
            np.lib.format.write_array_header_1_0(file, header)
            for records in self._records(instants):
                file.write(records.tobytes())  # not by memory map: its pages would count as ours
        return Features.load(path, self._fps)

    # First pass

    def _advance(self) -> None:
        """Analyse every tick and frame whose surroundings are known by now, and forget what is behind."""
        self._buffer = np.concatenate([self._buffer, *self._pending])
        self._pending, self._waiting = [], 0
        known = self._origin + self._buffer.size - self._reach
        while (centres := self._tick_centres(known)).size:
            self._analyse(centres)
            self._ticks += centres.size
        while (centre := self._sample_of_frame(self._frames)) <= known:
            at = centre - self._origin
            around = self._buffer[at - self._scope.reach : at + self._scope.reach]
            self._waves.write(self._scope.trace(around).tobytes())
            self._frames += 1
        behind = min(self._sample_of_tick(self._ticks), self._sample_of_frame(self._frames)) - self._reach
        self._buffer = self._buffer[behind - self._origin :]
        self._origin = behind

    def _sample_of_tick(self, tick: int) -> int:
        return tick * self._rate // TICKS

    def _sample_of_frame(self, frame: int) -> int:
        return frame * self._rate * self._fps.denominator // self._fps.numerator

    def _tick_centres(self, known: int) -> npt.NDArray[np.int64]:
        """Samples at the middle of the next ticks, up to `known`; 64 at most."""
        ticks = range(self._ticks, self._ticks + 64)
        centres = np.array([self._sample_of_tick(tick) for tick in ticks], np.int64)
        return centres[centres <= known]

    def _analyse(self, centres: npt.NDArray[np.int64]) -> None:
        first = centres - self._origin - self._size // 2
        windows = np.lib.stride_tricks.sliding_window_view(self._buffer, self._size)[first]
        windows -= windows.mean(axis=1, keepdims=True)  # a constant offset is no sound
        self._rms.append(np.sqrt(np.mean(windows * windows, axis=1)))
        power = np.full((len(centres), BANDS), _SILENCE, np.float32)
        _filter(np.fft.rfft(windows * self._taper, axis=1), self._filters, self._edges, power)
        loudness = np.sqrt(np.sqrt(power))  # compressed, yet in proportion to the track's level
        earlier = np.concatenate([self._before, loudness])
        self._flux.append(np.maximum(loudness - earlier[: len(loudness)], 0).mean(axis=1))
        self._before = earlier[len(loudness) :]
        levels = np.float32(10) * np.log10(power)
        self._levels.write(levels.astype(np.float32).tobytes())
        self._count(levels)

    def _count(self, levels: Samples) -> None:
        place = np.clip((levels - _LEAST) * _PER_DECIBEL, 0, _BINS - 1).astype(np.int64)
        place += np.arange(BANDS) * _BINS
        self._histogram += np.bincount(place.ravel(), minlength=BANDS * _BINS).reshape(BANDS, _BINS)

    # Second pass

    def _instants(self, frames: int) -> npt.NDArray[np.float64]:
        """Time of each frame in ticks."""
        return np.arange(frames, dtype=np.float64) * (TICKS * self._fps.denominator / self._fps.numerator)

    def _records(self, instants: npt.NDArray[np.float64]) -> Iterator[npt.NDArray[Any]]:
        rms, flux = np.concatenate(self._rms), np.concatenate(self._flux)
        loud = _loudness(rms)
        loud_amplitude = 10 ** (loud / 20)
        onset = onset_envelope(flux, 1 / TICKS, floor=0.06 * float(np.sqrt(loud_amplitude)))
        volume = smoothed(rms, TICKS // 4)
        full = 10 ** (_loudness(volume) / 20)
        volume = np.minimum(volume / np.float32(full), np.float32(1.3))
        scalars = np.stack([volume, onset], axis=1)
        self._waves.seek(0)
        for start, bands, phase in self._bands(self._references(loud), volume):
            stop = start + len(bands) - 1
            inside = instants[np.searchsorted(instants, start) : np.searchsorted(instants, stop)] - start
            low, mid, high = (bands[:, a:b].mean(axis=1) for a, b in ((0, _LOW), (_LOW, _MID), (_MID, BANDS)))
            rows = np.column_stack([bands, low, mid, high, scalars[start : stop + 1]])
            values = _between(rows, inside)
            records = np.zeros(inside.size, RECORD)
            records["bands"] = values[:, :BANDS]
            for column, name in enumerate(("low", "mid", "high", "rms", "onset"), BANDS):
                records[name] = values[:, column]
            records["phase"] = _between(phase[:, None], inside)[:, 0]
            wave = np.frombuffer(self._waves.read(inside.size * WAVE_POINTS * 2), np.int16)
            records["wave"] = wave.reshape(inside.size, WAVE_POINTS)
            yield records

    def _references(self, loud: float) -> Samples:
        """The level in dB that counts as full, for each band: its own loud moments, within reason."""
        share = np.cumsum(self._histogram, axis=1) / np.maximum(self._histogram.sum(axis=1, keepdims=True), 1)
        reached = _LEAST + (share < 0.97).sum(axis=1) / _PER_DECIBEL
        beside = np.pad(reached, 1, mode="edge")
        reached = np.maximum(reached, (beside[:-2] + beside[2:]) / 2)
        return np.maximum(reached, max(reached.max() - 20, loud - 22)).astype(np.float32)

    def _bands(
        self, reference: Samples, volume: Samples
    ) -> Iterator[tuple[int, Samples, npt.NDArray[np.float64]]]:
        """Smoothed bands and phase in chunks of ticks, each with the number of its first tick.

        The last tick of a chunk is the first one of the next, so that frames between them find both.
        """
        attack, release = (np.float32(1 - np.exp(-1 / (TICKS * t))) for t in (_ATTACK, _RELEASE))
        now, phase, start = np.zeros(BANDS, np.float32), 0.0, 0
        held = np.empty((0, BANDS), np.float32)
        held_phase = np.empty(0)
        self._levels.seek(0)
        while data := self._levels.read(_CHUNK * BANDS * 4):
            levels = np.frombuffer(data, np.float32).reshape(-1, BANDS)
            target = np.clip((levels - reference) / np.float32(_RANGE) + 1, 0, 1.2) ** np.float32(_CONTRAST)
            np.minimum(target, np.float32(1.2), out=target)
            for row in target:  # each tick starts from the one before
                now = now + np.where(row > now, attack, release) * (row - now)
                row[:] = now
            first = start + len(held)
            pace = 0.45 + 0.9 * volume[first : first + len(target)] + 0.45 * target[:, :_LOW].mean(axis=1)
            path = phase + np.cumsum(pace, dtype=np.float64) / TICKS
            phase = float(path[-1])
            bands, phases = np.concatenate([held, target]), np.concatenate([held_phase, path])
            yield start, bands, phases
            start += len(bands) - 1
            held, held_phase = bands[-1:], phases[-1:]


def _log_filters(rate: int, size: int, taper_sum: float) -> tuple[Samples, npt.NDArray[np.int64]]:
    """Triangular filters on a logarithmic axis, shape (BANDS, size / 2 + 1), for power spectra.

    Scaled so that a full-scale sine in the middle of a band comes to about 1. The lowest bands are wider than
    their spacing, as wide as the resolution of the transform. Also the first bin of each band that counts and
    the one after the last, shape (BANDS, 2).
    """
    frequency = np.fft.rfftfreq(size, 1 / rate)
    limits = np.geomspace(_LOWEST, _HIGHEST, BANDS + 1)
    centre = np.sqrt(limits[1:] * limits[:-1])
    spacing = np.log(limits[1:] / limits[:-1])
    width = np.maximum(spacing, np.log1p(1.2 * rate / size / centre))
    distance = np.abs(np.log(np.maximum(frequency, 1))[None, :] - np.log(centre)[:, None])
    filters = np.clip(1 - distance / width[:, None], 0, None) * (2 / taper_sum) ** 2
    counting = filters > 0
    stop = np.where(counting.any(axis=1), frequency.size - counting[:, ::-1].argmax(axis=1), 0)
    return filters.astype(np.float32), np.stack([counting.argmax(axis=1), stop], axis=1)


@kernel
def _filter(spectra: npt.NDArray[np.complex64], filters: Samples, edges: Any, power: Samples) -> None:
    """Add each band's power to `power`. (A matrix product would wake all threads of BLAS for a trifle.)"""
    for t in range(spectra.shape[0]):
        for band in range(filters.shape[0]):
            total = np.float32(0)
            for k in range(edges[band, 0], edges[band, 1]):
                z = spectra[t, k]
                total += filters[band, k] * (z.real * z.real + z.imag * z.imag)
            power[t, band] += total


def _loudness(rms: Samples) -> float:
    """How loud the loud parts of a track are, in dBFS; silence between them does not count."""
    sounding = rms[rms > max(float(rms.max()) * 10 ** (-30 / 20), 1e-9)]
    if not sounding.size:
        return _QUIETEST
    return max(float(20 * np.log10(np.percentile(sounding, 95))), _QUIETEST)


def _between(rows: npt.NDArray[Any], at: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
    """Rows interpolated at fractional places."""
    below = at.astype(np.int64)
    fraction = (at - below)[:, None]
    return np.asarray(rows[below] + (rows[below + 1] - rows[below]) * fraction)
