"""A voice that someone has recorded, in place of one that is made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from renderkiln.media.audio.decode import AudioSource, AudioWarning, open_audio
from renderkiln.media.speech.contract import Mono, SpeechStopped, Stop
from renderkiln.media.speech.finish import RATE


@dataclass(frozen=True)
class Recording:
    """A voice as raw float32 at `path`, mono at 48 kHz, and what was wrong with its source."""

    path: Path
    samples: int
    warnings: tuple[AudioWarning, ...]

    @property
    def seconds(self) -> float:
        """Duration."""
        return self.samples / RATE


def voice_from_file(source: Path, target: Path, *, max_seconds: float, stop: Stop) -> Recording:
    """Decode the first audio stream of `source` into `target`, a second at a time.

    Raises Unreadable; Unsuitable when it has no audio or more than `max_seconds` of it; SpeechStopped.
    """
    with open_audio(source, max_seconds=max_seconds) as audio, target.open("wb") as file:
        samples = 0
        for block in _mono(audio):
            if stop():
                raise SpeechStopped
            file.write(block.astype("<f4").tobytes())
            samples += len(block)
        return Recording(target, samples, audio.facts.warnings)


def _mono(audio: AudioSource) -> Iterator[Mono]:
    resampler = soxr.ResampleStream(audio.rate, RATE, 1, dtype="float32", quality="HQ")
    for block in audio.blocks():
        yield resampler.resample_chunk(block.mean(axis=0))
    yield resampler.resample_chunk(np.empty(0, np.float32), last=True)
