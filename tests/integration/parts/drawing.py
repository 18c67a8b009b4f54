"""Parts whose frames say which they are, and what is found in films of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from renderkiln.media.ffmpeg.command import Quality, concat_list
from renderkiln.media.ffmpeg.parts import Codec, encode_part
from renderkiln.media.ffmpeg.run import run
from renderkiln.media.frames.canvas import Canvas, Frame

WIDTH, HEIGHT = 320, 180
Draw = Callable[[int, int], Frame]  # of the part and of the frame in it


def canvas(fps: Fraction) -> Canvas:
    return Canvas(WIDTH, HEIGHT, fps)


def flat(y: int, u: int = 128, v: int = 128) -> Frame:
    frame = Frame(canvas(Fraction(25)))
    frame.y[:], frame.u[:], frame.v[:] = y, u, v
    return frame


def brightness(part: int, number: int) -> int:
    return 30 + (part * 60 + number * 3) % 190


def numbered(part: int, number: int) -> Frame:
    """As bright as its number says, with a line that moves."""
    frame = flat(brightness(part, number))
    frame.y[20:30, number % WIDTH] = 235
    return frame


def make_parts(
    folder: Path,
    binary: Path,
    lengths: Sequence[int],
    draw: Draw,
    *,
    codec: Codec,
    quality: Quality = "balanced",
    fps: Fraction = Fraction(30),
) -> list[Path]:
    """Encode a part of each length."""
    parts = [folder / f"part-{part}.mp4" for part in range(len(lengths))]
    for part, (path, length) in enumerate(zip(parts, lengths, strict=True)):
        command = encode_part(width=WIDTH, height=HEIGHT, fps=fps, codec=codec, quality=quality, output=path)
        run(command, binary=binary, stdin=(draw(part, number).buffer.data for number in range(length)))
    return parts


def listed(parts: Sequence[Path]) -> Path:
    path = parts[0].with_name("list.ffconcat")
    path.write_text(concat_list(part.name for part in parts))
    return path


def lumas(film: Path) -> list[int]:
    """The code value in the middle of each frame."""
    with av.open(str(film)) as container:
        frames = (frame.reformat(format="yuv420p") for frame in container.decode(video=0))
        return [int(frame.to_ndarray()[90, 160]) for frame in frames]


def shown(gif: Path) -> Iterator[tuple[int, int, npt.NDArray[Any]]]:
    """Of each picture when it appears and vanishes, in centiseconds, and its RGB pixels."""
    with av.open(str(gif)) as container:
        for frame in container.decode(video=0):
            assert frame.pts is not None
            assert frame.time_base == Fraction(1, 100)
            yield frame.pts, frame.pts + (frame.duration or 0), np.asarray(frame.to_ndarray(format="rgb24"))


def rgb(y: int, u: int, v: int) -> npt.NDArray[np.float64]:
    """BT.709, limited range, in code values of 0 … 255."""
    luma, blue, red = (y - 16) / 219, (u - 128) / 224, (v - 128) / 224
    r, b = luma + 1.5748 * red, luma + 1.8556 * blue
    g = (luma - 0.2126 * r - 0.0722 * b) / 0.7152
    return 255 * np.clip(np.array([r, g, b], np.float64), 0, 1)
