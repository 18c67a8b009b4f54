"""Builds the commands that make a gif of one part, with a palette of its own; `media.gif` joins them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from renderkiln.media.ffmpeg.command import PROTOCOLS, Command

# Ordered dither; the weak one is hardly seen and takes a few per cent fewer bytes. Diffused errors
# (Floyd-Steinberg, Sierra) creep from frame to frame: 1.3 … 1.5 times the bytes, 3 … 5 times the CPU.
Dither = Literal["bayer", "weak-bayer"]
_DITHERS = {"bayer": "bayer:bayer_scale=3", "weak-bayer": "bayer:bayer_scale=5"}

# Without their lowest bits pictures full of detail have an eighth of the colours, each of which FFmpeg looks
# up in the palette for itself: two thirds of the time, 3 % fewer bytes, 0.01 dB. One bit more would take half
# of the time, and bands could be seen in dark gradients.
_COARSE = "lutrgb=" + ":".join(f"{channel}=bitand(val\\,254)+1" for channel in "rgb")

# A palette is made from every fifth pixel of every fifth row, in a quarter of the time that the gif takes.
# From all of them it would take as long as the gif, whose PSNR would be the same to 0.1 dB.
_EVERY = 5


@dataclass(frozen=True)
class Look:
    """How a gif looks: its size in pixels, at most how many colours in a part, every how manieth frame."""

    width: int
    height: int
    colors: int = 256
    dither: Dither = "bayer"
    step: int = 1


@dataclass(frozen=True)
class Excerpt:
    """`frames` frames of a part from the one at `start` seconds."""

    frames: int
    start: float = 0.0


def palette(part: Path, excerpt: Excerpt, look: Look, output: Path) -> Command:
    """The colours that suit a part in lossless H.264 best, into a PNG. One of them is for "as before"."""
    thinned = _rgb(max(1, look.width // _EVERY), max(1, look.height // _EVERY), "point")
    return Command(
        (
            *_input(part, excerpt),
            *("-vf", f"{_frames(excerpt, look.step)},{thinned},palettegen=max_colors={look.colors}"),
            *("-frames:v", "1", "-c:v", "png", "-f", "image2", "-update", "1", "-y", f"file:{output}"),
        )
    )


def gif(part: Path, palette: Path, excerpt: Excerpt, look: Look, output: Path) -> Command:
    """A part in the colours of `palette`; of each frame only what differs from the one before is stored."""
    graph = (
        f"[0:v]{_frames(excerpt, look.step)},{_rgb(look.width, look.height, 'lanczos')},{_COARSE}[picture];"
        f"[picture][1:v]paletteuse=dither={_DITHERS[look.dither]}:diff_mode=rectangle"
    )
    return Command(
        (
            *_input(part, excerpt),
            *("-protocol_whitelist", PROTOCOLS, "-f", "png_pipe", "-i", f"file:{palette}"),
            *("-filter_complex_threads", "1", "-filter_complex", graph),
            *("-fps_mode", "passthrough", "-c:v", "gif", "-f", "gif", "-y", f"file:{output}"),
        )
    )


def _input(part: Path, excerpt: Excerpt) -> tuple[str, ...]:
    start = ("-ss", f"{excerpt.start:.6f}") if excerpt.start else ()
    return (*start, "-threads", "1", "-protocol_whitelist", PROTOCOLS, "-f", "mov", "-i", f"file:{part}")


def _frames(excerpt: Excerpt, step: int) -> str:
    return f"trim=end_frame={excerpt.frames},framestep={step}"


def _rgb(width: int, height: int, resampling: str) -> str:
    # `scale` is off by two at its fastest, and slower where it is exact. Screens show BT.709 as sRGB.
    return f"zscale={width}:{height}:filter={resampling},setparams=color_trc=iec61966-2-1,format=gbrp"
