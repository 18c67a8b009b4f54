"""Whole command lines of parts, webm and gif, compared with stored ones.

After a change that is meant: `UPDATE_GOLDENS=1 pytest tests/golden/ffmpeg`, and read the diff.
"""

from __future__ import annotations

import os
import shlex
from fractions import Fraction
from pathlib import Path
from typing import get_args

import pytest

from renderkiln.media.ffmpeg import gif, webm
from renderkiln.media.ffmpeg.command import Command, Quality
from renderkiln.media.ffmpeg.gif import Excerpt, Look
from renderkiln.media.ffmpeg.parts import Codec, encode_part

STORED = Path(__file__).with_name("part_command_lines.txt")
pytestmark = pytest.mark.golden


def commands() -> dict[str, Command]:
    built = {
        f"encode_part {codec} {quality}": encode_part(
            width=1920,
            height=1080,
            fps=Fraction(30),
            codec=codec,
            quality=quality,
            output=Path("scene_3.mp4"),
        )
        for codec in get_args(Codec)
        for quality in get_args(Quality)
    }
    listed, film = Path("list.ffconcat"), Path("film.webm")
    part, colors, out = Path("-x%d:.mp4"), Path("a.png"), Path("a.gif")
    small = Look(428, 240, colors=64, dither="weak-bayer", step=2)
    return built | {
        "webm.join bare": webm.join(segments=listed, output=film),
        "webm.join whole": webm.join(
            segments=listed, output=film, audio=Path("sound.opus"), metadata={"title": "Zoë = 1 😀"}
        ),
        "gif.palette": gif.palette(part, Excerpt(200), Look(856, 480), colors),
        "gif.palette small": gif.palette(part, Excerpt(8, start=2.375), small, colors),
        "gif.gif": gif.gif(part, colors, Excerpt(200), Look(856, 480), out),
        "gif.gif small": gif.gif(part, colors, Excerpt(8, start=2.375), small, out),
    }


def test_command_lines() -> None:
    text = "".join(f"# {name}\n{shlex.join(built.args)}\n\n" for name, built in commands().items())
    if os.environ.get("UPDATE_GOLDENS"):
        STORED.write_text(text)
    assert text == STORED.read_text()
