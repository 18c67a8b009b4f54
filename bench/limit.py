"""The limit: what drawing alone and what encoding alone cost."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from measure import measured
from renderkiln.media.audio.features import Features
from renderkiln.media.ffmpeg import binary
from renderkiln.media.ffmpeg.command import encode_frames
from renderkiln.media.ffmpeg.run import feed
from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.pipelines.visualizer.film import DrawableFilm
from renderkiln.pipelines.visualizer.params import VisualizerParams

PLACES = 5


@dataclass(frozen=True)
class Limit:
    """CPU-milliseconds per frame."""

    drawing: float
    encoding: float


def limit(params: VisualizerParams, features: Features, folder: Path, frames: int) -> Limit:
    """Draw about `frames` frames on one thread, then let bare FFmpeg encode exactly these from memory.

    They come from places all over the song: loud ones cost twice what quiet ones do.
    """
    film = DrawableFilm.of(params, features)
    draw = film.new_draw()
    numbers = _spread(len(film), frames)
    ready = [Frame(film.canvas) for _ in numbers]
    for frame in ready:
        frame.buffer.fill(0)  # memory that is really there
    draw(numbers[0], ready[0])  # compiled and warm
    with measured() as drawing:
        for number, frame in zip(numbers, ready, strict=True):
            draw(number, frame)
    encoding = _encode(params, film.canvas, ready, folder / "limit.mp4")
    return Limit(drawing.cpu / len(ready) * 1000, encoding / len(ready) * 1000)


def _spread(total: int, frames: int) -> list[int]:
    """Runs of successive frames in `PLACES` places of a film of `total` frames."""
    run = min(frames, total) // PLACES
    starts = [(2 * place + 1) * total // (2 * PLACES) - run // 2 for place in range(PLACES)]
    return [number for start in starts for number in range(start, start + run)]


def _encode(params: VisualizerParams, canvas: Canvas, ready: list[Frame], target: Path) -> float:
    command = encode_frames(
        width=canvas.width,
        height=canvas.height,
        fps=Fraction(params.fps),
        codec=params.codec,
        quality=params.quality,
        output=target,
    )
    with measured() as cost, feed(command, binary=binary.find()) as encoder:
        for frame in ready:
            encoder.write(frame.buffer.data)
        encoder.finish()
    return cost.cpu
