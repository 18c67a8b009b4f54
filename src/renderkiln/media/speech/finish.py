"""A provider's sound made ready to be mixed: 48 kHz, without digital silence around it and without clicks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import soxr

from renderkiln.media.speech.contract import Mono, Speech, Unavailable, Word

RATE = 48000
SILENCE_KEPT = 0.05  # seconds at either end
_SILENT = 1.5 / 32768  # within a rounding error of nothing
_NEAR_ZERO = 10 ** (-60 / 20)
_FADE = 0.005  # seconds
_BLOCK = 4800


def finished(speech: Speech) -> Speech:
    """`speech` at 48 kHz, words still in time. Raises Unavailable for what is no sound at all."""
    samples = speech.samples
    if speech.rate <= 0 or samples.ndim != 1 or not np.isfinite(samples).all():
        raise Unavailable("the provider answered with samples that are no sound")
    start, end = _audible(samples, round(SILENCE_KEPT * speech.rate))
    if start >= end:
        raise Unavailable("the provider answered with silence")
    cut = _without_clicks(samples[start:end], round(_FADE * speech.rate))
    if speech.rate != RATE:
        cut = soxr.resample(cut, speech.rate, RATE, quality="HQ")
    moved = tuple(_moved(word, start / speech.rate, len(cut) / RATE) for word in speech.words)
    return replace(speech, rate=RATE, samples=cut.astype(np.float32, copy=False), words=moved)


def _audible(samples: Mono, kept: int) -> tuple[int, int]:
    """Start and end of all but the silence around it, of which `kept` samples stay; equal in silence."""
    start, end = _silent_head(samples), len(samples) - _silent_head(samples[::-1])
    return (max(0, start - kept), min(len(samples), end + kept)) if start < end else (0, 0)


def _silent_head(samples: Mono) -> int:
    for start in range(0, len(samples), _BLOCK):
        loud = np.flatnonzero(np.abs(samples[start : start + _BLOCK]) > _SILENT)
        if len(loud):
            return start + int(loud[0])
    return len(samples)


def _without_clicks(samples: Mono, length: int) -> Mono:
    """A short fade at an end that does not lie near zero; otherwise the samples as they are."""
    length = min(length, len(samples) // 2)
    ramp = np.arange(length, dtype=np.float32) / np.float32(max(1, length))
    starts, ends = abs(samples[0]) > _NEAR_ZERO, abs(samples[-1]) > _NEAR_ZERO
    if starts or ends:
        samples = samples.copy()
    if starts:
        samples[:length] *= ramp
    if ends:
        samples[len(samples) - length :] *= ramp[::-1]
    return samples


def _moved(word: Word, seconds: float, end: float) -> Word:
    return Word(word.text, min(max(0.0, word.start - seconds), end), min(max(0.0, word.end - seconds), end))
