"""Builds the command that decodes a clip into raw frames, each the picture that is shown at its time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from renderkiln.media.ffmpeg.command import Command, media_input

_CLOCK = 3_000_000  # ticks in a second, about
# Matroska and FLV count in milliseconds: a picture due at 66.667 ms is written down as coming at 67.
_EARLY = Fraction(1, 1000)
_COPIES = 10  # of the last picture: longer than a frame, of 240 a second too


def decode_frames(
    source: Path,
    *,
    index: int,
    before: Sequence[str],
    filters: Sequence[str],
    fps: Fraction,
    at: Fraction,
    frames: int,
    seek: float | None = None,
    threads: int = 1,
) -> Command:
    """Stream `index` of `source` as `frames` I420 frames to stdout, `fps` a second.

    The first frame is that of the time `at`. A frame is the last picture that begins by its time: before the
    first one it is the first, behind the last one the last. No frame comes when no picture can be decoded, or
    when `at` is behind the end. Pictures are decoded from the key frame that a seek to `seek` finds, or from
    the beginning on; both times are seconds on the container's clock. What cannot be decoded is passed over.

    `before` are filters for every picture as decoded, under `-noautorotate`; the first of them must give all
    of them one size (`scale`), since recordings change it midway. `filters` are for those that are shown.
    """
    # A clock on which frames have whole times: those of a film in two parts are then those of the whole.
    ticks = fps.numerator * max(1, _CLOCK // fps.numerator)
    first = math.floor((at + _EARLY) * ticks)
    # `fps` shows the last picture until its own end, which may be before the next frame: hence its copies.
    stays = f"tpad=stop={_COPIES}:stop_mode=clone"
    rate = (f"settb=1/{ticks}", f"setpts=PTS{-first:+d}", stays, f"fps={fps}:round=up:start_time=0")
    ends = "tpad=stop=-1:stop_mode=clone"
    graph = f"[0:{index}]{','.join([*before, *rate, *filters, ends])}[picture]"
    # An accurate seek would leave out the picture that is still shown at that time.
    jump = () if seek is None else ("-seek_timestamp", "1", "-noaccurate_seek", "-ss", f"{seek:.6f}")
    return Command(
        (
            *("-copyts", "-max_error_rate", "1", "-threads", str(threads), "-noautorotate"),
            # A graph that is built anew would begin anew to count frames.
            *("-reinit_filter", "0", *jump, *media_input(source)),
            *("-filter_complex_threads", str(threads), "-filter_complex", graph),
            *("-map", "[picture]", "-frames:v", str(frames)),
            *("-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "yuv420p", "pipe:1"),
        )
    )
