"""Draws the film segment by segment; each finished segment is a checkpoint."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from renderkiln.media.ffmpeg.command import encode_frames
from renderkiln.media.ffmpeg.run import Feed
from renderkiln.media.frames.canvas import Frame
from renderkiln.media.frames.glimpse import glimpse
from renderkiln.media.frames.relay import draw_in_order
from renderkiln.media.kernels import are_compiled
from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.experience import remember
from renderkiln.pipelines.speed import Speed
from renderkiln.pipelines.visualizer.film import DrawableFilm
from renderkiln.pipelines.visualizer.listen import heard_film
from renderkiln.pipelines.visualizer.pace import VERIFYING, kind_of
from renderkiln.pipelines.visualizer.params import VisualizerParams

SEGMENTS = "segments"  # their folder in the work folder
SEGMENT_SECONDS = 10  # a kill costs one segment at most; whole GOPs, so segments join without re-encoding


@dataclass(frozen=True)
class Segment:
    """Frames `start` … `stop - 1` of the film."""

    number: int
    start: int
    stop: int

    @property
    def key(self) -> str:
        return f"segment-{self.number:05d}"

    @property
    def file_name(self) -> str:
        return f"{self.number:05d}.mp4"

    @property
    def frames(self) -> range:
        return range(self.start, self.stop)


def segments(frames: int, fps: int) -> Sequence[Segment]:
    """Cut `frames` frames into segments of `SEGMENT_SECONDS`; the last one is shorter."""
    length = SEGMENT_SECONDS * fps
    return [
        Segment(number, start, min(start + length, frames))
        for number, start in enumerate(range(0, frames, length))
    ]


def render(ctx: StageContext) -> Result:
    """Draw and encode every segment that is not finished yet."""
    params: VisualizerParams = ctx.params
    film = heard_film(ctx)
    if film.overlay is not None and film.overlay.missing:
        ctx.warn("missing-glyphs", f"No font draws {' '.join(film.overlay.missing)}: left out of the title")
    every = segments(len(film), params.fps)
    todo = [segment for segment in every if segment.key not in ctx.finished_parts]
    finished = sum(len(s.frames) for s in every) - sum(len(s.frames) for s in todo)
    _warm_up(ctx, film)
    speed = Speed(finished, len(film), params.fps, afterwards=VERIFYING)
    _SegmentWriter(ctx, film, speed).write(todo)
    if (fps := speed.average) is not None:
        remember(ctx.services.cache, kind_of(params, ctx.services.cores), fps)
    return Result({"frames": len(film), "segments": len(every), "drawn": len(film) - finished})


def _warm_up(ctx: StageContext, film: DrawableFilm) -> None:
    # The drawing threads would otherwise wait for each other while the first of them compiles.
    message = "Rendering frames"
    if not are_compiled(type(film.template).__module__.rpartition(".")[2]):
        message = "Compiling kernels (first run only)"
    ctx.progress(0, message)
    film.new_draw()(0, Frame(film.canvas))


class _SegmentWriter:
    """Feeds frames to one FFmpeg per segment; a full one drains while the next one is being filled."""

    def __init__(self, ctx: StageContext, film: DrawableFilm, speed: Speed) -> None:
        self._ctx, self._film, self._speed = ctx, film, speed
        self._folder = ctx.workdir / SEGMENTS
        self._folder.mkdir(exist_ok=True)
        self._draining: deque[tuple[Segment, Future[object]]] = deque()

    def write(self, todo: Sequence[Segment]) -> None:
        indices = (index for segment in todo for index in segment.frames)
        frames = draw_in_order(
            self._film.canvas, self._film.new_draw, indices, threads=self._ctx.services.cores
        )
        # Unwound last to first: drawing stops, encoders still open are killed, then their waiters end.
        with ExitStack() as stack:
            drain = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="drain"))
            encoders = stack.enter_context(ExitStack())
            stack.enter_context(closing(frames))
            for segment in todo:
                encoder = encoders.enter_context(self._encoder(segment))
                for _ in segment.frames:
                    _, frame = next(frames)
                    encoder.write(frame.buffer.data)
                    self._ctx.show(partial(glimpse, frame))
                    self._speed.reached(self._speed.done + 1)
                    self._ctx.progress(self._speed.fraction, "Rendering frames", **self._speed.facts)
                    self._record(wait=False)
                self._record(wait=True)  # at most two encoders at once: memory stays flat
                self._film.film.features.let_go()
                self._draining.append((segment, drain.submit(encoder.finish)))
            self._record(wait=True)

    def _encoder(self, segment: Segment) -> Feed:
        params: VisualizerParams = self._ctx.params
        canvas = self._film.canvas
        command = encode_frames(
            width=canvas.width,
            height=canvas.height,
            fps=canvas.fps,
            codec=params.codec,
            quality=params.quality,
            output=self._file(segment),
        )
        return self._ctx.feed_ffmpeg(command)

    def _file(self, segment: Segment) -> Path:
        return self._folder / segment.file_name

    def _record(self, *, wait: bool) -> None:
        while self._draining and (wait or self._draining[0][1].done()):
            segment, finished = self._draining.popleft()
            finished.result()
            values = {"frames": len(segment.frames)}
            self._ctx.part_done(segment.key, Result(values, {"video": self._file(segment)}))
