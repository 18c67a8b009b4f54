"""How parts of a film are encoded, for each format that comes out."""

from __future__ import annotations

from pathlib import Path

from renderkiln.media.ffmpeg.command import Command, encode_frames
from renderkiln.pipelines.scenes.params import ScenesParams


def encode_part(params: ScenesParams, output: Path) -> Command:
    """Raw frames from stdin into a part."""
    canvas = params.canvas
    return encode_frames(
        width=canvas.width,
        height=canvas.height,
        fps=canvas.fps,
        codec="h264",
        quality=params.quality,
        output=output,
        threads=1,
    )


def suffix_of_parts(params: ScenesParams) -> str:
    """Of the files of parts."""
    return ".mp4"
