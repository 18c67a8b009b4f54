"""Surveys of clips that nobody has to make: what `survey` would say of them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from renderkiln.media.probe import MediaInfo, StreamInfo
from renderkiln.media.video.color import Color
from renderkiln.media.video.passes import Track
from renderkiln.media.video.survey import Survey

_BT709 = {"range": "tv", "space": "bt709", "primaries": "bt709", "transfer": "bt709"}
_FILM = StreamInfo(0, "video", "h264", width=1920, height=1080, pixel_format="yuv420p", color=_BT709)
_INFO = MediaInfo("mov,mp4,m4a,3gp,3g2,mj2", 10.0, 5_000_000, None, (_FILM,), {})
STEREO = Track(1, "aac", 48000, 2, "stereo", 0.0, 10.0)
HD = Survey(
    info=_INFO,
    width=1920,
    height=1080,
    rotation=0,
    mirrored=False,
    pixel_aspect=Fraction(1),
    fps=Fraction(30),
    variable=False,
    frames=300,
    start=0.0,
    duration=10.0,
    promised=10.0,
    interlaced="",
    color=Color("bt709", "tv", "bt709", "bt709"),
    bits=8,
    pixel_format="yuv420p",
    audio=STEREO,
)


def surveyed(**changes: Any) -> Survey:
    """Ten seconds of 1080p with stereo sound, apart from `changes`."""
    return replace(HD, **changes)
