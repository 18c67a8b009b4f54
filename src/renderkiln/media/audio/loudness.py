"""Loudness and peaks of stereo sound, measured while it streams past.

ITU-R BS.1770-5 (K weighting, gating, true peak), EBU Tech 3341 (momentary, short-term), Tech 3342 (range).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

kernel = njit(cache=True, nogil=True, fastmath=True)

Samples = npt.NDArray[np.float32]
Energies = npt.NDArray[np.float64]

HOPS_PER_SECOND = 10
_MOMENTARY, _SHORT_TERM = 4, 30  # hops: 400 ms, 3 s
_ABSOLUTE_GATE = -70.0  # LUFS
_INTEGRATED_GATE, _RANGE_GATE = -10.0, -20.0  # LU below the mean of what passed the absolute gate
_OVERSAMPLING, _TAPS = 4, 12  # per phase: 48 in all
_HISTORY = _TAPS - 1


@dataclass(frozen=True)
class Loudness:
    """Measures of a whole track; minus infinity where it is silent or too short to tell.

    `integrated`, `momentary`, `short_term` are in LUFS (the latter two are maxima), `range` in LU, `peak` in
    dBFS, `true_peak` in dBTP.
    """

    integrated: float
    range: float
    momentary: float
    short_term: float
    peak: float
    true_peak: float

    def to_json(self) -> dict[str, float | None]:
        """Plain JSON values, rounded to 0.01; None instead of minus infinity, which JSON cannot say."""
        return {name: round(value, 2) if math.isfinite(value) else None for name, value in vars(self).items()}


class Meter:
    """Feed it blocks of shape (2, n), of any length, then ask for the result.

    Keeps 80 bytes for each second of the track: the energies that gating needs at the end.
    """

    def __init__(self, rate: int) -> None:
        self._weighting = Weighting(rate, rate // HOPS_PER_SECOND)
        self._energies: list[Energies] = []
        self._peak = 0.0
        self._true_peak = 0.0
        self._phases = interpolator()
        self._gain = float(np.abs(self._phases).sum(axis=1).max())
        self._history = np.zeros((2, _HISTORY), np.float32)

    def add(self, block: Samples) -> None:
        """Measure the next samples, float32 of shape (2, n)."""
        if block.shape[1] == 0:
            return
        self._energies.append(self._weighting.add(block))
        self._add_peaks(block)

    def result(self) -> Loudness:
        """The measures of everything so far."""
        energies = np.concatenate([*self._energies, np.empty(0)])
        momentary, short_term = _windows(energies, _MOMENTARY), _windows(energies, _SHORT_TERM)
        return Loudness(
            integrated=_gated_mean(momentary),
            range=_range(short_term),
            momentary=_lufs(momentary.max(initial=0.0)),
            short_term=_lufs(short_term.max(initial=0.0)),
            peak=_decibels(self._peak),
            true_peak=_decibels(max(self._true_peak, self._peak)),
        )

    def _add_peaks(self, block: Samples) -> None:
        """True peak is computed only where the filter's gain leaves a chance to beat the highest so far."""
        extended = np.concatenate([self._history, block], axis=1)
        self._history = extended[:, -_HISTORY:].copy()
        for channel in extended:
            peaks = _peaks(channel, self._phases, np.float32(self._gain), np.float32(self._true_peak))
            self._peak, self._true_peak = max(self._peak, float(peaks[0])), float(peaks[1])


class Weighting:
    """K-weighs what streams past: the mean square of each `hop` samples, the sum of both channels."""

    def __init__(self, rate: int, hop: int) -> None:
        self._hop = hop
        self._coefficients = k_weighting(rate)
        self._filters = np.zeros((2, 4))
        self._open = np.zeros(2)  # energy and number of samples of the hop under way

    def add(self, block: Samples) -> Energies:
        """The hops that the next samples, float32 of shape (2, n), complete."""
        hops = np.empty(block.shape[1] // self._hop + 1)
        count = _weigh(block, self._coefficients, self._filters, self._open, self._hop, hops)
        return hops[:count].copy()


def integrated(energies: Energies) -> float:
    """Integrated loudness in LUFS of a track's hops of 100 ms; minus infinity where all of it is gated."""
    return _gated_mean(_windows(energies, _MOMENTARY))


def k_weighting(rate: int) -> Energies:
    """The two biquads of BS.1770 for any rate: b0 b1 b2 a1 a2 of the shelf, then a1 a2 of the high-pass.

    The analogue prototypes behind the standard's 48 kHz coefficients (De Man 2014), by bilinear transform.
    """
    k, q, gain = math.tan(math.pi * 1681.974450955533 / rate), 0.7071752369554196, 3.999843853973347
    high = 10 ** (gain / 20)
    band = high**0.4996667741545416
    norm = 1 + k / q + k * k
    shelf = [
        (high + band * k / q + k * k) / norm,
        2 * (k * k - high) / norm,
        (high - band * k / q + k * k) / norm,
        2 * (k * k - 1) / norm,
        (1 - k / q + k * k) / norm,
    ]
    k, q = math.tan(math.pi * 38.13547087602444 / rate), 0.5003270373238773
    norm = 1 + k / q + k * k
    return np.array([*shelf, 2 * (k * k - 1) / norm, (1 - k / q + k * k) / norm])


def interpolator() -> Samples:
    """Windowed-sinc phases for 4 × oversampling, shape (4, 12), each with unit gain at 0 Hz."""
    n = np.arange(_OVERSAMPLING * _TAPS)
    centre = (len(n) - 1) / 2
    window = np.kaiser(len(n), 6.0)
    filter_ = np.sinc((n - centre) / _OVERSAMPLING) * window
    phases = filter_.reshape(_TAPS, _OVERSAMPLING).T[:, ::-1]
    return np.ascontiguousarray(phases / phases.sum(axis=1, keepdims=True), np.float32)


@kernel
def _weigh(
    block: Samples, c: Energies, filters: Energies, unfinished: Energies, hop: int, out: Energies
) -> int:
    """K-weigh both channels and write the mean square of each finished hop; returns how many there are.

    Direct form II transposed in float64: the high-pass's poles are too close to 1 for float32.
    """
    b0, b1, b2, a1, a2, d1, d2 = c[0], c[1], c[2], c[3], c[4], c[5], c[6]
    s0, s1, s2, s3 = filters[0, 0], filters[0, 1], filters[0, 2], filters[0, 3]
    r0, r1, r2, r3 = filters[1, 0], filters[1, 1], filters[1, 2], filters[1, 3]
    left, right = block[0], block[1]
    length, start, count = block.shape[1], 0, 0
    energy, filled = unfinished[0], int(unfinished[1])
    while start < length:
        end = min(length, start + hop - filled)
        for i in range(start, end):
            x = np.float64(left[i])
            y = b0 * x + s0
            s0 = b1 * x - a1 * y + s1
            s1 = b2 * x - a2 * y
            z = y + s2
            s2 = s3 - 2.0 * y - d1 * z
            s3 = y - d2 * z
            x = np.float64(right[i])
            v = b0 * x + r0
            r0 = b1 * x - a1 * v + r1
            r1 = b2 * x - a2 * v
            w = v + r2
            r2 = r3 - 2.0 * v - d1 * w
            r3 = v - d2 * w
            energy += z * z + w * w
        filled += end - start
        start = end
        if filled == hop:
            out[count] = energy / hop
            count += 1
            energy, filled = 0.0, 0
    filters[0, 0], filters[0, 1], filters[0, 2], filters[0, 3] = s0, s1, s2, s3
    filters[1, 0], filters[1, 1], filters[1, 2], filters[1, 3] = r0, r1, r2, r3
    unfinished[0], unfinished[1] = energy, filled
    return count


@kernel
def _peaks(
    samples: Samples, phases: Samples, gain: np.float32, highest: np.float32
) -> tuple[np.float32, np.float32]:
    """Sample peak, and the highest interpolated magnitude or `highest` if nothing beats it.

    The first 11 samples are history.
    """
    step, peak, top = 64, np.float32(0.0), highest
    interpolated = np.empty(step, np.float32)
    for start in range(0, samples.shape[0] - 11, step):
        end = min(start + step, samples.shape[0] - 11)
        local = np.float32(0.0)
        for i in range(start, end + 11):
            local = max(local, abs(samples[i]))
        peak = max(peak, local)
        if local * gain <= top:
            continue
        interpolated[:] = 0.0
        for phase in range(4):
            _raise_to(interpolated, samples[start : end + 11], phases[phase])
        for i in range(step):
            top = max(top, interpolated[i])
    return peak, top


@kernel
def _raise_to(out: Samples, x: Samples, c: Samples) -> None:
    """Raise `out` to the magnitudes of one phase. Element by element: a running maximum is not vectorised."""
    c0, c1, c2, c3, c4, c5 = c[0], c[1], c[2], c[3], c[4], c[5]
    c6, c7, c8, c9, c10, c11 = c[6], c[7], c[8], c[9], c[10], c[11]
    for i in range(x.shape[0] - 11):
        early = c0 * x[i] + c1 * x[i + 1] + c2 * x[i + 2] + c3 * x[i + 3]
        middle = c4 * x[i + 4] + c5 * x[i + 5] + c6 * x[i + 6] + c7 * x[i + 7]
        late = c8 * x[i + 8] + c9 * x[i + 9] + c10 * x[i + 10] + c11 * x[i + 11]
        out[i] = max(out[i], abs(early + middle + late))


def _windows(energies: Energies, hops: int) -> Energies:
    """Mean energy of every window of `hops` hops, one hop apart."""
    if len(energies) < hops:
        return np.empty(0)
    total = np.concatenate([np.zeros(1), np.cumsum(energies)])
    return np.maximum(total[hops:] - total[:-hops], 0.0) / hops


def _above(windows: Energies, gate: float) -> Energies:
    """The windows louder than both the absolute gate and `gate` LU relative to the mean of those."""
    audible = windows[windows > _energy(_ABSOLUTE_GATE)]
    if len(audible) == 0:
        return audible
    return audible[audible > audible.mean() * 10 ** (gate / 10)]


def _gated_mean(windows: Energies) -> float:
    kept = _above(windows, _INTEGRATED_GATE)
    return _lufs(kept.mean()) if len(kept) else -math.inf


def _range(windows: Energies) -> float:
    kept = _above(windows, _RANGE_GATE)
    if len(kept) == 0:
        return 0.0
    low, high = np.percentile(kept, [10, 95])
    return _lufs(high) - _lufs(low)


def _lufs(energy: float) -> float:
    return -0.691 + 10 * math.log10(energy) if energy > 0 else -math.inf


def _energy(lufs: float) -> float:
    return 10 ** ((lufs + 0.691) / 10)


def _decibels(amplitude: float) -> float:
    return 20 * math.log10(amplitude) if amplitude > 0 else -math.inf
