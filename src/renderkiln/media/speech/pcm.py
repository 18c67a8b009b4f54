"""16-bit PCM and float samples: the same sound, of half the size."""

from __future__ import annotations

import numpy as np

from renderkiln.media.speech.contract import Mono

_FULL_SCALE = np.float32(32768)


def from_pcm(pcm: bytes | memoryview) -> Mono:
    """Float samples of 16-bit little-endian ones."""
    return np.frombuffer(pcm, "<i2").astype(np.float32) / _FULL_SCALE


def to_pcm(samples: Mono) -> bytes | None:
    """The 16-bit samples that `from_pcm` makes exactly `samples` of; None when there are none."""
    scaled = samples * _FULL_SCALE
    pcm = np.clip(scaled, -32768, 32767).astype("<i2")
    return pcm.tobytes() if np.array_equal(pcm, scaled) else None
