from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from renderkiln.media.ffmpeg.transcode import Encoding
from renderkiln.pipelines.variations.clip import Clip
from renderkiln.pipelines.variations.effect_set import EffectSet
from renderkiln.pipelines.variations.effects import EFFECTS
from renderkiln.pipelines.variations.film import Film
from renderkiln.pipelines.variations.params import VariationsParams
from surveys import surveyed


def film(values: dict[str, float], **changes: object) -> Film:
    return Film(Clip.of(surveyed(**changes), VariationsParams()), EFFECTS, EffectSet(values))


@pytest.mark.parametrize("speed", [0.95, 1.0, 1.05])
@pytest.mark.parametrize("fps", [Fraction(25), Fraction(30000, 1001)])
def test_moments_fall_on_frames_that_show_the_clip_at_that_time(speed: float, fps: Fraction) -> None:
    made = film({"speed": speed} if speed != 1 else {}, fps=fps, duration=61.0)
    for moment, shown in zip(made.clip.moments, made.moments, strict=True):
        number = shown * float(fps)
        assert number == pytest.approx(round(number), abs=1e-6)
        assert shown < made.seconds
        assert abs(shown * speed - moment) <= 0.51 / fps * max(1, speed) + 1e-9


def test_the_file_says_what_was_done_to_it() -> None:
    args = film({"zoom": 3}).command(Path("a.mp4"), Path("b.mp4"), Encoding("draft"), title="My film").args
    assert "title=My film" in args
    assert "comment=A variation: zoom 3 %" in args
    assert args[args.index("-map_metadata") + 1] == "-1"


@pytest.mark.parametrize("name", ["-y.mp4", "a:b.mp4", "%d.mp4", "concat:a|b", "http://x", "new\nline.mp4"])
def test_names_mean_nothing_to_ffmpeg(name: str) -> None:
    args = film({}).command(Path(name), Path(name), Encoding("draft"), title="x").args
    assert name not in args
    assert args.count(f"file:{Path(name)}") == 2
