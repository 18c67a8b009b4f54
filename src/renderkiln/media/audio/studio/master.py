"""The last steps of a mix: bass in the middle, warmth, loudness, and a true-peak ceiling."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from renderkiln.media.audio.loudness import Meter
from renderkiln.media.audio.studio.synth import HIGHPASS, RATE, Sound, filtered

LOOK_AHEAD = 1024  # samples, 21 ms at 48 kHz
OVERSAMPLING = 4
TAPS = 12  # of each phase


def mastered(mix: Sound, loudness: float = -14.0, ceiling: float = -1.2) -> Sound:
    """A stereo mix at `loudness` LUFS and below `ceiling` dBTP.

    Solved, not guessed: the gain in front of the limiter is corrected until the result is within 0.05 LU.
    """
    clean = warm(narrow_bass(mix))
    gain = loudness - integrated(clean)
    for _ in range(6):
        result = limited(clean * np.float32(10 ** (gain / 20)), 10 ** (ceiling / 20))
        missing = loudness - integrated(result)
        if abs(missing) < 0.05:
            break
        gain += missing
    return result


def integrated(sound: Sound) -> float:
    """Integrated loudness in LUFS."""
    meter = Meter(RATE)
    meter.add(np.ascontiguousarray(sound.T))
    return meter.result().integrated


def narrow_bass(mix: Sound, below: float = 140.0) -> Sound:
    """Below this frequency both sides are the same, and nothing is left below 25 Hz."""
    middle = filtered((mix[:, 0] + mix[:, 1]) * np.float32(0.5), 25.0, 0.7, HIGHPASS)
    side = filtered((mix[:, 0] - mix[:, 1]) * np.float32(0.5), below, 0.7, HIGHPASS)
    return np.stack([middle + side, middle - side], axis=1)


def warm(mix: Sound, drive: float = 0.9) -> Sound:
    """Soft saturation of the peaks; the mix comes out with the same slope at zero."""
    peak = float(np.abs(mix).max()) or 1.0
    return (np.tanh(mix * (drive / peak)) * (peak / drive)).astype(np.float32)


def limited(mix: Sound, ceiling: float) -> Sound:
    """No true peak above `ceiling` (linear). Both sides share one gain, which moves before the peak comes."""
    needed = np.minimum(1.0, ceiling / np.maximum(true_peaks(mix), 1e-9))
    return mix * _smoothed(_lowest(needed, LOOK_AHEAD), LOOK_AHEAD // 2)[:, None].astype(np.float32)


def true_peaks(mix: Sound) -> npt.NDArray[np.float64]:
    """The largest magnitude around each sample, of both sides, at four times the rate (BS.1770-4 Annex 2)."""
    highest = np.abs(mix).max(axis=1).astype(np.float64)
    for phase in range(1, OVERSAMPLING):
        taps = _interpolator(phase / OVERSAMPLING)
        for side in range(2):
            between = np.abs(np.convolve(mix[:, side], taps, "same"))
            np.maximum(highest, between, out=highest)
            np.maximum(highest[1:], between[:-1], out=highest[1:])
    return highest


def _interpolator(shift: float) -> npt.NDArray[np.float32]:
    """A windowed sinc that reads the signal `shift` samples later."""
    at = np.arange(-TAPS, TAPS + 1) + shift
    window = np.cos(np.pi * at / (2 * TAPS + 2)) ** 2
    taps = np.sinc(at) * window
    return (taps / taps.sum()).astype(np.float32)


def _lowest(values: npt.NDArray[np.float64], width: int) -> npt.NDArray[np.float64]:
    """The lowest value within `width` (a power of two) samples around each; minima of minima, doubled."""
    padded = np.pad(values, width // 2, mode="edge")
    step = 1
    while step < width:
        padded = np.minimum(padded[:-step], padded[step:])
        step *= 2
    return padded[: len(values)]


def _smoothed(values: npt.NDArray[np.float64], width: int) -> npt.NDArray[np.float64]:
    """A triangular mean: two box means, together as wide as the window of the minimum before them."""
    for _ in range(2):
        left = width // 2
        total = np.cumsum(np.pad(values, (left + 1, width - left - 1), mode="edge"))
        values = (total[width:] - total[:-width]) / width
    return values
