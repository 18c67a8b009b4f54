"""Draws, encodes and verifies the parts of the film, several at once, each a checkpoint of its own."""

from __future__ import annotations

import threading
import time
from functools import partial
from pathlib import Path

from renderkiln.domain.errors import Permanent
from renderkiln.media.errors import Unreadable
from renderkiln.media.frames.canvas import Frame
from renderkiln.media.frames.glimpse import glimpse
from renderkiln.media.inspect import inspect
from renderkiln.media.kernels import are_compiled
from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.scenes.drawing.part import PartDrawer
from renderkiln.pipelines.scenes.drawing.studio import Studio
from renderkiln.pipelines.scenes.drawing.unseen import unseen
from renderkiln.pipelines.scenes.fetch import found_of
from renderkiln.pipelines.scenes.formats import encode_part, parts_at_once
from renderkiln.pipelines.scenes.identity import part_fingerprint
from renderkiln.pipelines.scenes.keeping import Kept, PartCache
from renderkiln.pipelines.scenes.params import ScenesParams
from renderkiln.pipelines.scenes.sound import bars_of, spoken_of, timeline_of
from renderkiln.pipelines.scenes.timeline import Part, Timeline
from renderkiln.pipelines.speed import Speed

FOLDER = "parts"  # in the work folder
MOST_WARNINGS = 20


def render(ctx: StageContext) -> Result:
    """Make every part that is not made yet, here or by an earlier job. Raises as FFmpeg does, OSError."""
    timeline = timeline_of(ctx)
    (ctx.workdir / FOLDER).mkdir(exist_ok=True)
    studio = studio_of(ctx, timeline)
    _warn(ctx, timeline, studio)
    maker = _Maker(ctx, timeline, studio)
    parts = timeline.parts()
    workers = parts_at_once(ctx.params, ctx.services.cores)
    made = ctx.parts({part.key: part for part in parts}, maker.make, workers=workers)
    files = {part.key: made[part.key].files["video"] for part in parts}
    told = [
        {
            "part": part.key,
            "scene": part.span.id,
            "frames": part.frames,
            "reused": made[part.key].values["reused"],
            "seconds": made[part.key].values["seconds"],
            "packets": made[part.key].values["packets"],
        }
        for part in parts
    ]
    return Result({"parts": told, "frames": timeline.frames}, files)


def studio_of(ctx: StageContext, timeline: Timeline) -> Studio:
    """What all drawers of this film share."""
    params: ScenesParams = ctx.params
    return Studio(
        canvas=params.canvas,
        brand=params.project.brand,
        found=found_of(ctx),
        open_reader=ctx.read_ffmpeg,
        film_frames=timeline.frames,
        spoken=spoken_of(ctx),
        bars=bars_of(ctx),
        user_fonts=ctx.services.fonts,
    )


def _warn(ctx: StageContext, timeline: Timeline, studio: Studio) -> None:
    """Before anything is drawn: what is taken from the cache says nothing."""
    try:
        said = list(unseen(timeline, studio))
    except Unreadable as error:
        raise Permanent(studio.told(error)) from error
    for number, what in enumerate(said[:MOST_WARNINGS]):
        ctx.warn(f"cut-{number}", what)
    if len(said) > MOST_WARNINGS:
        ctx.warn("cut", f"{len(said) - MOST_WARNINGS} more layers are not all seen")


class _Maker:
    """Makes parts, and tells how far all of them are."""

    def __init__(self, ctx: StageContext, timeline: Timeline, studio: Studio) -> None:
        self._ctx, self._studio = ctx, studio
        self._cache = PartCache(ctx.services.cache / "scenes")
        finished = sum(part.frames for part in timeline.parts() if part.key in ctx.finished_parts)
        self._speed = Speed(finished, timeline.frames, float(timeline.fps))
        self._lock = threading.Lock()

    def make(self, part: Part) -> Result:
        """One part: from the cache, else drawn."""
        path = self._ctx.workdir / FOLDER / f"{part.key}.mp4"
        key = part_fingerprint(self._ctx, part, self._studio)
        kept = self._cache.take(key, path) if self._ctx.job.reuse else None
        if kept is not None and kept.frames != part.frames:
            kept = None
        reused = kept is not None
        if kept is None:
            kept = self._draw(part, path)
            if all(found.is_unchanged for found in self._studio.found.values()):
                self._cache.keep(key, path, kept)
        else:
            with self._lock:
                self._speed.skip(part.frames)
        values = {
            "frames": part.frames,
            "reused": reused,
            "seconds": round(kept.seconds, 2),
            "packets": kept.packets,
        }
        return Result(values, {"video": path})

    def _draw(self, part: Part, path: Path) -> Kept:
        begun = time.monotonic()
        path.unlink(missing_ok=True)  # FFmpeg would write into the one that is there
        command = encode_part(self._ctx.params, path)
        frame = Frame(self._studio.canvas)
        if not are_compiled("frames"):
            self._ctx.progress(self._speed.fraction, "Compiling kernels (first run only)")
        with PartDrawer(part, self._studio) as drawer, self._ctx.feed_ffmpeg(command) as encoder:
            for n in range(part.frames):
                drawer.draw(frame, n)
                encoder.write(frame.buffer.data)
                self._ctx.show(partial(glimpse, frame))
                self._count(1)
            encoder.finish()
        packets = self._verified(part, path)
        return Kept(part.frames, time.monotonic() - begun, packets)

    def _verified(self, part: Part, path: Path) -> str | None:
        """The digest of the part's pictures, all of which decode. Raises Permanent where they do not.

        Once it is joined the film need not be decoded again then, and of a film that was changed in one place
        only that place is. A gif is no copy of its parts: it is verified whole.
        """
        if self._ctx.params.format == "gif":
            return None
        inspection = inspect(path, look=False, on_progress=lambda _: self._tell())
        wrong, video = (
            [f"it does not decode cleanly: {error}" for error in inspection.errors],
            inspection.video,
        )
        if video is None or video.frames != part.frames:
            wrong.append(f"it has {0 if video is None else video.frames} frames instead of {part.frames}")
        if video is None or wrong:
            raise Permanent(f"The part {part.key} did not pass verification: " + "; ".join(wrong[:3]))
        return video.packets.digest

    def _count(self, frames: int) -> None:
        with self._lock:
            self._speed.reached(self._speed.done + frames)
        self._tell()

    def _tell(self) -> None:
        self._ctx.progress(self._speed.fraction, "Rendering scenes", **self._speed.facts)
