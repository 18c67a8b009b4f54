from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from renderkiln.media.ffmpeg.command import Command
from renderkiln.media.ffmpeg.reader import Reader
from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.media.video.playback import Playback, contained
from renderkiln.media.video.survey import Survey
from surveys import surveyed


class Opened(Exception):
    """In place of FFmpeg."""


def line(known: Survey, **wanted: Any) -> str:
    """What FFmpeg is told for the first frame."""

    def note(command: Command) -> Reader:
        raise Opened(" ".join(command.args))

    given: dict[str, Any] = {"width": 1920, "height": 1080, "fps": Fraction(30), "open_reader": note}
    with pytest.raises(Opened) as said, Playback(Path("a.mp4"), known, **(given | wanted)) as film:
        film.read(Frame(Canvas(4, 4, Fraction(30))))
    return str(said.value)


@pytest.mark.parametrize(
    ("stored", "rotation", "wanted", "expected"),
    [
        ((1920, 1080), 0, (1080, 1920), (1080, 608)),
        ((1920, 1080), 90, (1080, 1920), (1080, 1920)),
        ((1920, 1080), 90, (1920, 1080), (608, 1080)),
        ((320, 180), 0, (1920, 1080), (1920, 1080)),
        ((640, 480), 0, (854, 480), (640, 480)),
        ((16, 4096), 0, (100, 100), (2, 100)),
        ((3, 3), 0, (50, 70), (50, 50)),
    ],
)
def test_contained(
    stored: tuple[int, int], rotation: int, wanted: tuple[int, int], expected: tuple[int, int]
) -> None:
    known = surveyed(width=stored[0], height=stored[1], rotation=rotation)
    assert contained(known, *wanted) == expected


@pytest.mark.parametrize(
    ("stored", "wanted", "filters"),
    [
        ((1920, 1080), (1920, 1080), ""),
        ((1920, 1080), (1280, 720), "scale=1280:720,setsar=1,"),
        ((1280, 960), (1920, 1080), "scale=1920:1440,setsar=1,crop=1920:1080:0:180,"),
        ((1920, 1080), (1080, 1920), "scale=3414:1920,setsar=1,crop=1080:1920:1166:0,"),
        ((16, 4096), (1920, 1080), "crop=16:8:0:2044,scale=1920:1080,"),  # else of 943 million pixels
    ],
)
def test_covering(stored: tuple[int, int], wanted: tuple[int, int], filters: str) -> None:
    known = surveyed(width=stored[0], height=stored[1])
    assert f"start_time=0,{filters}tpad=" in line(known, width=wanted[0], height=wanted[1])


@pytest.mark.parametrize(
    ("container", "interlaced", "start", "seek"),
    [
        ("mov,mp4,m4a,3gp,3g2,mj2", "", 0.0, None),
        ("mov,mp4,m4a,3gp,3g2,mj2", "", 7.0, "107.000000"),
        ("matroska,webm", "top", 7.0, "106.500000"),
        ("mpegts", "", 7.0, None),
        ("mpegts", "", 20.0, "108.000000"),
    ],
)
def test_where_decoding_begins(container: str, interlaced: str, start: float, seek: str | None) -> None:
    info = surveyed().info.__class__(**{**surveyed().info.__dict__, "container": container})
    known = surveyed(info=info, interlaced=interlaced, start=100.0, duration=60.0)
    said = line(known, start=start)
    assert ("-ss" in said) == (seek is not None)
    assert seek is None or f"-noaccurate_seek -ss {seek} " in said
    deinterlace, rate = said.find("bwdif"), said.find("fps=30")
    assert deinterlace < rate  # it must see every picture


@pytest.mark.parametrize(
    ("if_short", "start", "frames"),
    [("freeze", 0.0, 301), ("freeze", 9.5, 16), ("freeze", 99.0, 2), ("loop", 0.0, 300), ("loop", 19.5, 15)],
)
def test_how_many_frames(if_short: str, start: float, frames: int) -> None:
    assert f"-frames:v {frames} " in line(surveyed(), if_short=if_short, start=start)
