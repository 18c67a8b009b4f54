"""What is heard in whole films: how loud, what gives way to what, and when there is nothing at all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import clips
from audio_truth import Samples, decibels, measured, pieces, sine, write_wav
from integration.scenes.rig import Film, Kiln
from renderkiln.media.audio.source import RATE

pytestmark = pytest.mark.integration

TONE = 3000  # Hz: what the music is made of, away from what speaks
SECONDS = 9


def talk(seconds: float) -> Samples:
    """Noise below 1 kHz without a rest, mono."""
    noise = np.random.default_rng(1).normal(0, 0.1, round(seconds * RATE) + 47)
    return np.convolve(noise, np.hanning(50)[1:-1] / 4, "valid")[None]


def tone_db(sound: Samples, start: float, seconds: float) -> float:
    """How loud the tone is in a piece of the sound, in dB of its amplitude."""
    piece = sound[0, round(start * RATE) : round((start + seconds) * RATE)]
    window = np.hanning(len(piece))
    turned = np.sum(piece * window * np.exp(-2j * np.pi * TONE * np.arange(len(piece)) / RATE))
    return float(20 * np.log10(2 * np.abs(turned) / window.sum()))


@pytest.fixture(scope="module", params=["mp4", "webm"])
def film(kiln: Kiln, request: pytest.FixtureRequest) -> Film:
    """Music of 2 s under 9 s of film; somebody speaks from 3.0 to 5.5."""
    write_wav(kiln.folder / "music.wav", sine(TONE, 2, 0.3))
    write_wav(kiln.folder / "voice.wav", talk(2.5))
    scenes: list[dict[str, Any]] = [
        {"duration": 3},
        {"duration": SECONDS - 3, "background": "#204060", "voice": {"file": "voice.wav", "start": 0}},
    ]
    music = {"file": "music.wav", "gain_db": -6, "duck_db": -10, "fade_in": 0, "fade_out": 1}
    return kiln.film({"music": music, "scenes": scenes}, format=request.param)


def test_a_film_is_as_loud_as_films_are(film: Film) -> None:
    assert film.sound is not None
    told = measured(pieces(film.sound))
    assert told.integrated == pytest.approx(-14, abs=0.3)
    assert told.true_peak <= -0.9
    assert film.report.result is not None
    assert film.report.result["report"]["audio"]["loudness"]["integrated"] == pytest.approx(-14, abs=0.3)


def test_music_gives_way_to_a_voice_and_comes_back(film: Film) -> None:
    assert film.sound is not None
    before, beneath, after = (tone_db(film.sound, start, 1) for start in (1.5, 4, 7))
    assert beneath - before == pytest.approx(-10, abs=0.5)
    assert after == pytest.approx(before, abs=0.5)


def test_music_is_looped_for_the_whole_film_and_goes_with_it(film: Film) -> None:
    assert film.sound is not None
    level = [tone_db(film.sound, second, 0.5) for second in (0.5, 2.2, 7.2)]
    assert max(level) - min(level) < 1
    assert decibels(film.sound[:, round(8.9 * RATE) : 9 * RATE]) < level[0] - 15


@pytest.mark.parametrize(
    ("project", "format"),
    [
        ({"scenes": [{"duration": 0.5}]}, "webm"),
        ({"scenes": [{"duration": 0.5, "background": {"type": "video", "file": "silent.mp4"}}]}, "mp4"),
        (
            {
                "scenes": [
                    {"duration": 0.5, "background": {"type": "video", "file": "plain.mp4", "mute": True}}
                ]
            },
            "mp4",
        ),
        ({"scenes": [{"duration": 0.5}], "music": "nothing.wav"}, "mp4"),
        ({"scenes": [{"duration": 0.5}], "music": "tone.wav"}, "gif"),
    ],
    ids=["nothing", "no sound", "mute", "silence", "gif"],
)
def test_where_nothing_is_heard_there_is_no_sound(kiln: Kiln, project: dict[str, Any], format: str) -> None:
    clips.plain(kiln.folder)
    clips.silent_film(kiln.folder)
    write_wav(kiln.folder / "nothing.wav", sine(440, 1, 0))
    write_wav(kiln.folder / "tone.wav", sine(TONE, 1, 0.3))
    film = kiln.film(project, format=format)
    assert film.sound is None
    assert ("silent" in kiln.warnings) == (project.get("music") == "nothing.wav")


def test_a_voice_decides_how_long_its_scene_is_or_is_cut_off_with_it(kiln: Kiln) -> None:
    write_wav(kiln.folder / "short.wav", talk(0.7))
    write_wav(kiln.folder / "long.wav", talk(3))
    scenes = [
        {"voice": {"file": "short.wav", "start": 0.25, "rest": 0.3}},
        {"id": "talk", "duration": 1.5, "voice": {"file": "long.wav", "start": 0.5}},
        {"duration": 1, "background": "white"},
    ]
    film = kiln.film({"scenes": scenes})
    assert film.report.result is not None
    assert [each["start"] for each in film.report.result["scenes"]] == [0, 1.25, 2.75]
    assert len(film.luma) == 3.75 * 24
    assert set(kiln.warnings) == {"voice-talk"}
    assert kiln.warnings["voice-talk"] == (
        "The voice of the scene talk is 2.0 s longer than it, and is cut off"
    )
    assert film.sound is not None
    loudest = [
        _peak_db(film.sound, *piece) for piece in ((0, 0.2), (0.3, 0.9), (1.0, 1.7), (1.8, 2.7), (2.8, 3.7))
    ]
    assert min(loudest[1], loudest[3]) > -20
    assert max(loudest[0], loudest[2], loudest[4]) < -60


def _peak_db(sound: Samples, start: float, end: float) -> float:
    piece = np.abs(sound[:, round(start * RATE) : round(end * RATE)])
    return float(20 * np.log10(max(piece.max(), 1e-6)))
