"""Each thing that can be wrong with a finished variation is seen, and a right one has no fault."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from renderkiln.media.probe import StreamInfo
from renderkiln.media.video.passes import Track
from renderkiln.pipelines.variations.check import faults, is_blank
from renderkiln.pipelines.variations.clip import Clip
from renderkiln.pipelines.variations.effect_set import EffectSet
from renderkiln.pipelines.variations.effects import EFFECTS
from renderkiln.pipelines.variations.film import Film
from renderkiln.pipelines.variations.params import VariationsParams
from surveys import STEREO, surveyed

FILM = Film(Clip.of(surveyed(), VariationsParams()), EFFECTS, EffectSet({}))
_LATE = Track(1, "aac", 48000, 2, "stereo", 0.05, 10.0)
_LONG = Track(1, "aac", 48000, 2, "stereo", 0.0, 10.03)
_MONO = Track(1, "aac", 48000, 1, "mono", 0.0, 10.0)
_HEVC = StreamInfo(0, "video", "hevc", color={"range": "tv", "space": "bt709"})


def test_a_right_one_has_no_fault() -> None:
    assert faults(surveyed(), FILM) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"frames": 299}, "299 frames instead of 300"),
        ({"variable": True}, "frame rate"),
        ({"fps": Fraction(25)}, "frame rate is 25"),
        ({"height": 1088}, "1920x1088 pixels"),
        ({"rotation": 90}, "upright"),
        ({"pixel_aspect": Fraction(1001, 1000)}, "upright"),
        ({"info": replace(surveyed().info, streams=(_HEVC,))}, "H.264"),
        ({"audio": None}, "sound is missing"),
        ({"audio": _MONO}, "1 × 48000 Hz instead of 2"),
        ({"audio": _LATE}, "start 50 ms apart"),
        ({"audio": _LONG}, "end 30 ms apart"),
    ],
)
def test_what_is_wrong_is_told(changes: dict[str, object], said: str) -> None:
    assert said in "; ".join(faults(surveyed(**changes), FILM))


def test_a_sound_from_nowhere_is_told() -> None:
    silent = Film(Clip.of(surveyed(audio=None), VariationsParams()), EFFECTS, EffectSet({}))
    assert "has a sound" in "; ".join(faults(surveyed(audio=STEREO), silent))


def test_blank_is_what_lost_the_picture_of_a_lively_clip() -> None:
    rng = np.random.default_rng(1)
    lively = rng.integers(0, 255, (3, 600), np.uint8)
    flat = np.full((3, 600), 16, np.uint8)
    assert is_blank(flat, lively)
    assert not is_blank(lively, lively)
    assert not is_blank(flat, flat)  # the clip was like that
