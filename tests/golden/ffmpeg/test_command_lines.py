"""Whole command lines, compared with stored ones: what FFmpeg is told never changes by accident.

After a change that is meant: `UPDATE_GOLDENS=1 pytest tests/golden/ffmpeg`, and read the diff.
"""

from __future__ import annotations

import os
import shlex
from fractions import Fraction
from pathlib import Path
from typing import get_args

import pytest

from renderkiln.media.ffmpeg import command
from renderkiln.media.ffmpeg.command import Codec, Command, Quality
from renderkiln.media.ffmpeg.decode import decode_frames

STORED = Path(__file__).with_name("command_lines.txt")
pytestmark = pytest.mark.golden


def commands() -> dict[str, Command]:
    built = {
        f"encode_frames {codec} {quality}": command.encode_frames(
            width=1920, height=1080, fps=Fraction(30), codec=codec, quality=quality, output=Path("part_3.mp4")
        )
        for codec in get_args(Codec)
        for quality in get_args(Quality)
    }
    tags = {"title": "Ember = 1", "artist": "Zoë 😀"}
    return built | {
        "encode_frames explicit": command.encode_frames(
            width=320,
            height=180,
            fps=Fraction(30000, 1001),
            codec="h264",
            quality="draft",
            output=Path("-x%d:.mp4"),
            crf=23,
            threads=2,
        ),
        "concat_and_mux bare": command.concat_and_mux(segments=Path("list.txt"), output=Path("film.part")),
        "concat_and_mux whole": command.concat_and_mux(
            segments=Path("list.txt"),
            output=Path("film.part"),
            audio=Path("sound.m4a"),
            cover=Path("cover.jpg"),
            metadata=tags,
        ),
        "encode_audio": command.encode_audio(rate=44100, output=Path("sound.m4a")),
        "copy_audio": command.copy_audio(source=Path("song.m4a"), output=Path("sound.m4a")),
        "decode_frames": decode_frames(
            Path("clip.mp4"),
            index=0,
            before=["scale=1920:1080"],
            filters=["scale=1280:720", "setsar=1"],
            fps=Fraction(30),
            at=Fraction(0),
            frames=90,
        ),
        "decode_frames later": decode_frames(
            Path("-x%d:.ts"),
            index=2,
            before=["scale=720:576", "bwdif=mode=send_frame:parity=tff:deint=all"],
            filters=[],
            fps=Fraction(30000, 1001),
            at=Fraction(1001, 30000) + 100,
            frames=1,
            seek=88.0333,
            threads=2,
        ),
        "trial_encode": command.trial_encode("h264_nvenc"),
        "trial_encode upload": command.trial_encode("h264_vaapi", before=("-a", "b"), upload="hwupload"),
    }


def test_command_lines() -> None:
    text = "".join(f"# {name}\n{shlex.join(built.args)}\n\n" for name, built in commands().items())
    if os.environ.get("UPDATE_GOLDENS"):
        STORED.write_text(text)
    assert text == STORED.read_text()
