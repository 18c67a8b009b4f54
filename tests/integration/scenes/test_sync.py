"""Flashes and clicks at known times: in the finished film they are at those times, and together."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clips
from audio_truth import write_wav
from integration.scenes.rig import Film, Kiln
from renderkiln.media.audio.source import RATE

pytestmark = pytest.mark.integration

FPS = 24
FRAME = 1 / FPS
LOOP, FLASH = 1.04, 0.4  # seconds: of the looped clip, no whole number of the film's frames


def click(path: Path, at: float) -> Path:
    """A voice of a second that clicks once."""
    sound = np.zeros((1, RATE))
    start = round(at * RATE)
    sound[0, start : start + RATE // 50] = 0.8 * np.sin(2 * np.pi * 1000 * np.arange(RATE // 50) / RATE)
    return write_wav(path, sound)


def looped(path: Path) -> Path:
    """26 frames of 25 a second: white for three of them, with a click as it begins."""
    white = f"drawbox=color=white:t=fill:enable='between(n,{FLASH * 25:.0f},{FLASH * 25 + 2:.0f})'"
    black = ("-f", "lavfi", "-i", f"color=black:size=320x180:rate=25:duration={LOOP}")
    clicking = f"0.8*sin(2*PI*1000*t)*between(t,{FLASH},{FLASH + 0.02})"
    sound = ("-f", "lavfi", "-i", f"aevalsrc='{clicking}':sample_rate=44100:duration={LOOP}")
    return clips.ffmpeg(path, *black, *sound, "-vf", f"{white},{clips.BT709}", *clips.X264, *clips.AAC)


SCENES: list[dict[str, Any]] = [
    {"duration": 2, "transition": {"type": "crossfade", "duration": 1.5}},
    # From 0.5: flashes at its whole seconds, the first of them in the passage from the scene before.
    {
        "duration": 3,
        "background": {"type": "video", "file": "click.mp4"},
        "transition": {"type": "crossfade", "duration": 0.5},
    },
    # From 3.0: over and over until 23.0.
    {"duration": 20, "background": {"type": "video", "file": "loop.mp4"}},
    # A cut to white, and a voice that begins with it.
    {"duration": 1, "background": "white", "voice": {"file": "now.wav", "start": 0}},
    # From 24.0: a layer and a voice that begins in the middle of the scene.
    {
        "duration": 1,
        "voice": {"file": "later.wav", "start": 0.25},
        "layers": [
            {"type": "shape", "width": "100%", "height": "100%", "full_bleed": True, "start": 0.75, "end": 1}
        ],
    },
    # From 25.0: a clip from its middle on, in a frame of its own, and late in its scene.
    {
        "duration": 1.5,
        "layers": [
            {
                "type": "video", "file": "click.mp4", "start": 0.5, "trim": 1.5,
                "width": "100%", "height": "100%", "full_bleed": True, "fit": "cover",
            }
        ],
    },
]  # fmt: skip
LOOPS = [3.0 + FLASH + LOOP * n for n in range(math.ceil((20 - FLASH) / LOOP))]
EXPECTED = [1.5, 2.5, *LOOPS, 23.0, 24.75, 26.0]
SECONDS = 26.5


@pytest.fixture(scope="module", params=["mp4", "webm"])
def film(kiln: Kiln, request: pytest.FixtureRequest) -> Film:
    clips.click_and_flash(kiln.folder, fps=str(FPS))
    looped(kiln.folder / "loop.mp4")
    click(kiln.folder / "now.wav", 0)
    click(kiln.folder / "later.wav", 0.5)
    return kiln.film({"fps": FPS, "scenes": SCENES}, format=request.param)


def test_picture_and_sound_last_as_long_as_the_scenes_less_their_transitions(film: Film) -> None:
    assert film.sound is not None
    assert film.report.result is not None
    assert film.report.result["duration"] == SECONDS
    assert len(film.luma) == SECONDS * FPS
    assert film.times == pytest.approx(np.arange(SECONDS * FPS) / FPS, abs=0.001)
    assert film.sound.shape[1] / RATE == pytest.approx(SECONDS, abs=0.022)  # one block of the encoder


def test_what_is_seen_is_seen_in_its_frame(film: Film) -> None:
    in_frames = [math.ceil(each * FPS - 1e-6) for each in EXPECTED]
    assert [round(each * FPS) for each in film.flashes] == in_frames


def test_what_is_heard_is_heard_at_its_time(film: Film) -> None:
    assert film.clicks == pytest.approx(EXPECTED, abs=0.003)


def test_flash_and_click_are_within_a_frame_of_each_other(film: Film) -> None:
    apart = np.subtract(film.flashes, film.clicks)
    assert np.abs(apart).max() < FRAME
    exact = [0, 1, -3, -2, -1]  # of what does not fall between two frames
    assert np.abs(apart[exact]).max() < 0.003
