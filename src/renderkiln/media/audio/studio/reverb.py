"""A room: a feedback delay network, and an echo that walks from side to side."""

from __future__ import annotations

import numba
import numpy as np

from renderkiln.media.audio.studio.synth import RATE, Sound, samples

# Mutually prime lengths between 31 and 83 ms: echoes never fall on each other.
LINES = np.array([1493, 1741, 2053, 2381, 2749, 3137, 3547, 3989], np.int64)
DIFFUSERS = np.array([229, 347, 113, 571], np.int64)


def room(sound: Sound, seconds: float, damping: float = 0.35, predelay: float = 0.018) -> Sound:
    """Only the reverberation of a stereo sound; it falls by 60 dB in `seconds`.

    An eight-line network with a Householder matrix (Jot & Chaigne 1991) behind four all-pass diffusers
    (Schroeder 1962). `damping` 0 … 1 makes the high notes die sooner.
    """
    gains = 10.0 ** (-3.0 * LINES / RATE / seconds)
    delayed = shifted(sound, samples(predelay))
    return _network(_diffuse(delayed, DIFFUSERS, 0.62), LINES, gains.astype(np.float32), damping)


def echo(sound: Sound, seconds: float, feedback: float = 0.45, repeats: int = 5) -> Sound:
    """Only the echoes of a stereo sound, each on the other side of the one before."""
    out = np.zeros_like(sound)
    for k in range(1, repeats + 1):
        side = sound[:, ::-1] if k % 2 else sound
        out += feedback**k * shifted(side, samples(seconds * k))
    return out


def shifted(sound: Sound, by: int) -> Sound:
    """The sound `by` samples later, cut at its old length."""
    out = np.zeros_like(sound)
    out[by:] = sound[: len(sound) - by]
    return out


@numba.njit(cache=True, nogil=True, fastmath=True)
def _diffuse(sound: Sound, lengths: np.ndarray, gain: float) -> Sound:
    out = sound.copy()
    for stage in range(len(lengths)):
        for channel in range(2):
            line = np.zeros(lengths[stage] + 7 * channel, np.float32)
            at = 0
            for i in range(len(out)):
                fed = out[i, channel] + gain * line[at]
                out[i, channel] = line[at] - gain * fed
                line[at] = fed
                at = at + 1 if at + 1 < len(line) else 0
    return out


@numba.njit(cache=True, nogil=True, fastmath=True)
def _network(sound: Sound, lengths: np.ndarray, gains: Sound, damping: float) -> Sound:
    count = len(lengths)
    lines = np.zeros((count, lengths.max()), np.float32)
    at = np.zeros(count, np.int64)
    low = np.zeros(count, np.float32)
    out = np.zeros_like(sound)
    for i in range(len(sound)):
        total = 0.0
        for k in range(count):
            low[k] += (1.0 - damping) * (lines[k, at[k]] * gains[k] - low[k])
            total += low[k]
        for k in range(count):
            out[i, k % 2] += low[k] * (1.0 if k < 4 else -1.0)
            lines[k, at[k]] = sound[i, k % 2] + low[k] - total * 2.0 / count
            at[k] = at[k] + 1 if at[k] + 1 < lengths[k] else 0
    return out * np.float32(0.35)
