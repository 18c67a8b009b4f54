"""Whole command lines of variations, compared with stored ones; see those of `ffmpeg` beside this."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import pytest

from renderkiln.media.ffmpeg.transcode import HARDWARE, Encoding
from renderkiln.media.video.color import Color
from renderkiln.media.video.survey import Survey
from renderkiln.pipelines.variations.clip import Clip
from renderkiln.pipelines.variations.effect_set import EffectSet
from renderkiln.pipelines.variations.effects import EFFECTS
from renderkiln.pipelines.variations.film import Film
from renderkiln.pipelines.variations.params import VariationsParams
from surveys import STEREO, surveyed

STORED = Path(__file__).with_name("command_lines.txt")
pytestmark = pytest.mark.golden


def line(
    found: Survey, values: Mapping[str, float], encoding: Encoding | None = None, **params: object
) -> str:
    asked = VariationsParams.model_validate(params)
    film = Film(Clip.of(found, asked), EFFECTS, EffectSet(values))
    command = film.command(Path("clip.mov"), Path("out.mp4"), encoding or Encoding("balanced"), title="Clip")
    return shlex.join(command.args)


def lines() -> dict[str, str]:
    phone = surveyed(rotation=90, fps=Fraction(30000, 1001), variable=True)
    hdr = surveyed(
        color=Color("bt2020nc", "tv", "bt2020", "smpte2084"), bits=10, pixel_format="yuv420p10le", audio=None
    )
    tape = surveyed(
        width=720,
        height=576,
        pixel_aspect=Fraction(16, 15),
        fps=Fraction(25),
        interlaced="top",
        color=Color("bt470bg", "tv", "bt470bg", "smpte170m"),
    )
    late = surveyed(audio=STEREO.__class__(1, "opus", 44100, 6, "5.1", 0.4, 10.4), start=0.1)
    built = {
        "plain": line(surveyed(), {}),
        "phone, faster": line(phone, {"speed": 1.02, "zoom": 3}),
        "HDR without sound": line(hdr, {"warmth": 2}),
        "interlaced tape": line(tape, {"exposure": 0.2}),
        "late sound, slower, 5.1": line(late, {"speed": 0.95, "bass": 2}),
        "asked for": line(surveyed(), {}, resolution="720p", fps=25, channels="mono"),
        "draft": line(surveyed(), {}, Encoding("draft", threads=2)),
        "high": line(surveyed(), {}, Encoding("high")),
    }
    built |= {
        f"effect {effect.name}": line(surveyed(), {effect.name: effect.ladder["strong"][-1]})
        for effect in EFFECTS
    }
    return built | {f"by {name}": line(surveyed(), {}, Encoding("balanced", name)) for name in HARDWARE}


def test_command_lines() -> None:
    text = "".join(f"# {name}\n{command}\n\n" for name, command in lines().items())
    if os.environ.get("UPDATE_GOLDENS"):
        STORED.write_text(text)
    assert text == STORED.read_text()
