"""A recorded voice of any kind becomes raw mono at 48 kHz."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from renderkiln.media.errors import Unreadable, Unsuitable
from renderkiln.media.speech.contract import SpeechStopped
from renderkiln.media.speech.file import voice_from_file

pytestmark = pytest.mark.integration


def never() -> bool:
    return False


def recording(path: Path, rate: int, channels: list[npt.NDArray[np.float64]]) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.round(np.stack(channels, axis=1) * 32767).astype("<i2").tobytes())
    return path


def tone(seconds: float, rate: int) -> npt.NDArray[np.float64]:
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)


@pytest.mark.parametrize("rate", [8000, 44100, 48000])
def test_the_tone_it_was(tmp_path: Path, rate: int) -> None:
    source = recording(tmp_path / "a.wav", rate, [tone(2.5, rate), 0 * tone(2.5, rate)])
    found = voice_from_file(source, tmp_path / "voice.f32", max_seconds=10, stop=never)
    samples = np.fromfile(found.path, "<f4")
    assert found.samples == len(samples) == pytest.approx(2.5 * 48000, abs=2)
    assert found.seconds == pytest.approx(2.5, abs=1e-3)
    inner = slice(4800, 110_000)
    np.testing.assert_allclose(samples[inner], tone(2.5, 48000)[inner] / 2, atol=2e-3)


def test_too_long_no_audio_and_stopped(tmp_path: Path) -> None:
    source = recording(tmp_path / "a.wav", 8000, [tone(3.0, 8000)])
    with pytest.raises(Unsuitable, match="too long"):
        voice_from_file(source, tmp_path / "voice.f32", max_seconds=2, stop=never)
    with pytest.raises(SpeechStopped):
        voice_from_file(source, tmp_path / "voice.f32", max_seconds=10, stop=lambda: True)
    source.write_text("no sound")
    with pytest.raises(Unreadable):
        voice_from_file(source, tmp_path / "voice.f32", max_seconds=10, stop=never)
