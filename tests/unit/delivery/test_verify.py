from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from renderkiln.media.audio.loudness import Loudness
from renderkiln.media.inspect import AudioMeasures, Inspection, VideoMeasures
from renderkiln.media.luma import Luma
from renderkiln.media.packets import Packets
from renderkiln.media.probe import MediaInfo, StreamInfo
from renderkiln.pipelines.delivery.verify import ExpectedFilm, faults

BT709 = {"range": "tv", "space": "bt709", "primaries": "bt709", "transfer": "bt709"}
LIVELY = Luma(100, 120, 30, 40, 2, 9, 0, 0, 0, 0)
STILL = replace(LIVELY, still_frames=89, longest_still=89, black_frames=90, longest_black=90)
EXPECTED = ExpectedFilm(1280, 720, Fraction(30), 90, "vp9", 3.0, False, {"title": "Ember"}, cover=False)
SLIDES = replace(EXPECTED, lively=False)
SILENT_FILM = replace(EXPECTED, sound_seconds=None)
GIF = replace(SILENT_FILM, codec="gif", fps=Fraction(20), frames=60, pictures=4, tags={}, lively=False)


def film(
    *, frames: int = 90, end: float = 3.0, luma: Luma = LIVELY, sound: float | None = 3.0, **stream: Any
) -> Inspection:
    picture = {"codec": "vp9", "width": 1280, "height": 720, "color": BT709, **stream}
    streams = [StreamInfo(0, "video", **picture)]
    audio = None
    if sound is not None:
        streams.append(StreamInfo(1, "audio", "opus"))
        loudness = Loudness(-14.0, 3.0, -12.0, -13.0, peak=-1.0, true_peak=-1.0)
        audio = AudioMeasures(144_000, 0.0, sound, loudness)
    info = MediaInfo("matroska,webm", end, 9, 9, tuple(streams), {"title": "Ember"})
    video = VideoMeasures(frames, 0.0, end, 0, Packets(frames, "a digest"), luma)
    return Inspection(info, video, audio, 0, ())


def test_as_promised() -> None:
    assert faults(film(), EXPECTED) == []
    assert faults(film(luma=STILL), SLIDES) == []
    assert faults(film(sound=None), SILENT_FILM) == []
    assert faults(film(end=3.001), EXPECTED) == []
    assert faults(film(frames=4, sound=None, codec="gif", color={"range": "pc"}), GIF) == []


@pytest.mark.parametrize(
    ("made", "expected", "said"),
    [
        (film(luma=STILL), EXPECTED, "stands still in 89 of 90"),
        (film(luma=STILL), EXPECTED, "90 of its 90 frames are black"),
        (film(sound=None), EXPECTED, "it has no sound"),
        (film(), SILENT_FILM, "it has a sound instead of none"),
        (film(frames=89), SLIDES, "89 frames instead of 90"),
        (film(end=3.01), SLIDES, "its picture lasts 3.010 s instead of 3.000 s"),
        (film(sound=2.9), SLIDES, "its sound lasts 2.900 s instead of 3.000 s"),
        (film(codec="h264"), SLIDES, "its codec is h264 instead of vp9"),
        (film(color={}), SLIDES, "its colours are tagged {}"),
        (film(frames=5, sound=None, codec="gif"), GIF, "5 frames instead of 4"),
        (film(frames=4, end=2.95, sound=None, codec="gif"), GIF, "its picture lasts 2.950 s"),
    ],
)
def test_what_is_wrong_is_said(made: Inspection, expected: ExpectedFilm, said: str) -> None:
    assert said in "; ".join(faults(made, expected))
