"""The limit: what drawing alone and what encoding alone cost, so that nothing can be faster together."""

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


@dataclass(frozen=True)
class Limit:
    """CPU-milliseconds per frame."""

    drawing: float
    encoding: float

    def fps(self, cores: int) -> float:
        return cores * 1000 / (self.drawing + self.encoding)


def limit(params: VisualizerParams, features: Features, folder: Path, frames: int) -> Limit:
    """Draw `frames` frames on one thread, then let bare FFmpeg encode exactly these from memory."""
    film = DrawableFilm.of(params, features)
    draw = film.new_draw()
    ready = [Frame(film.canvas) for _ in range(frames)]
    start = len(features) // 3  # where the music plays
    draw(start, ready[0])  # compiled and warm
    with measured() as drawing:
        for number, frame in enumerate(ready):
            draw(start + number, frame)
    encoding = _encode(params, film.canvas, ready, folder / "limit.mp4")
    return Limit(drawing.cpu / frames * 1000, encoding / frames * 1000)


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
