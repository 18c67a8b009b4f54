"""Small pictures of a clip: by them effect sets are judged before anything large is made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import Interpolation

from renderkiln.media.ffmpeg.command import PROTOCOLS, Command
from renderkiln.pipelines.variations.clip import Clip

_SMALL = 480  # pixels of the longer side: effects are tried at this size
_TINY = 112  # and compared at this one, where neither grain nor the encoder's noise is seen


def small_size(width: int, height: int) -> tuple[int, int]:
    """Width and height of the pictures that effects are tried on."""
    return _within(width, height, _SMALL)


def tiny_size(width: int, height: int) -> tuple[int, int]:
    """Width and height of the frames of a likeness."""
    return _within(width, height, _TINY)


def make_small(source: Path, filters: Sequence[str], width: int, height: int, output: Path) -> Command:
    """The frames in the NUT file `source` through `filters` into raw yuv420p frames of this size."""
    chain = ",".join([*filters, f"scale={width}:{height}:flags=area", "format=yuv420p"])
    return Command(
        (
            *("-protocol_whitelist", PROTOCOLS, "-noautorotate", "-f", "nut", "-i", f"file:{source}"),
            *("-vf", chain, "-fps_mode", "passthrough", "-f", "rawvideo", "-y", f"file:{output}"),
        )
    )


def try_effects(clip: Clip, small: Path, filters: Sequence[str], output: Path) -> Command:
    """The small pictures through the filters of an effect set, into the raw frames of a likeness."""
    width, height = small_size(clip.width, clip.height)
    across, down = tiny_size(clip.width, clip.height)
    rate = len(clip.moments) / clip.survey.duration  # so that each frame comes at about its time
    chain = ",".join([*filters, f"scale={across}:{down}:flags=area", "format=yuv420p"])
    return Command(
        (
            *("-protocol_whitelist", PROTOCOLS, "-f", "rawvideo", "-pixel_format", "yuv420p"),
            *("-video_size", f"{width}x{height}", "-framerate", f"{rate:.6f}", "-threads", "1"),
            *("-i", f"file:{small}", "-filter_threads", "1", "-vf", chain),
            *("-fps_mode", "passthrough", "-f", "rawvideo", "-y", f"file:{output}"),
        )
    )


def tiny_frame(frame: av.VideoFrame, width: int, height: int) -> npt.NDArray[np.uint8]:
    """One row of a likeness, from a frame of a variation of this size."""
    across, down = tiny_size(width, height)
    tiny = frame.reformat(width=across, height=down, format="yuv420p", interpolation=Interpolation.AREA)
    return tiny.to_ndarray().reshape(-1).astype(np.uint8, copy=False)


def _within(width: int, height: int, side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(width, height))
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)
