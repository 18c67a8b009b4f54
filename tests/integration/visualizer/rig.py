from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np

from renderkiln.app import Renderkiln
from renderkiln.domain.event import Event
from renderkiln.domain.report import JobReport

RATE = 48000


def write_wav(path: Path, sound: np.ndarray[Any, Any], rate: int = RATE) -> Path:
    """Mono float samples as a 16-bit stereo WAV."""
    whole = (np.clip(sound, -1, 1) * 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.repeat(whole, 2).tobytes())
    return path


def pulses(seconds: float, rate: int = RATE) -> np.ndarray[Any, Any]:
    """A pulsing chord: quiet at both ends, lively in the middle."""
    t = np.arange(int(seconds * rate)) / rate
    chord = sum(np.sin(2 * np.pi * f * t) for f in (55, 220, 277.2, 329.6)) / 5
    return chord * np.exp(-4 * (t % 0.5)) * np.sin(np.pi * t / max(seconds, 1e-3))


class Kiln:
    """Renders one file and remembers what was said."""

    def __init__(self, kiln: Renderkiln, output: Path) -> None:
        self._kiln, self.output = kiln, output
        self.events: list[Event] = []

    def render(self, path: Path, **params: Any) -> JobReport:
        self.events.clear()
        params = {"format": "preview", "quality": "draft", **params}
        job = self._kiln.job("visualizer", path, params, format=params["format"])
        return self._kiln.run(job, output=self.output, listen=self.events.append)

    def film(self, path: Path, **params: Any) -> Path:
        report = self.render(path, **params)
        assert report.succeeded, report.error
        return report.artifacts[0].path
