"""Verifies the film before it gets its name, and takes its picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from renderkiln.domain.errors import Permanent
from renderkiln.media.captions import Cue, srt, vtt
from renderkiln.media.frames.image import write_image
from renderkiln.media.frames.still import scaled, still
from renderkiln.media.inspect import inspect
from renderkiln.media.packets import Packets
from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.delivery.verify import ExpectedFilm, faults
from renderkiln.pipelines.scenes.params import Format
from renderkiln.pipelines.scenes.sound import spoken_of, timeline_of
from renderkiln.pipelines.scenes.timeline import Span, Timeline
from renderkiln.pipelines.speed import Speed

THUMBNAIL_WIDTH = 1280
_CODECS: Mapping[Format, str] = {"mp4": "h264", "webm": "vp9", "gif": "gif"}


def verify(ctx: StageContext) -> Result:
    """Hold the film against what was asked for, and its pictures against the parts that were verified.

    A gif is decoded. Raises Permanent with what was wrong.
    """
    film, timeline = ctx.results["join"].files["film"], timeline_of(ctx)
    speed = Speed(0, timeline.frames, float(timeline.fps))

    def on_progress(frames: int) -> None:
        speed.reached(min(frames, timeline.frames))
        ctx.progress(speed.fraction, "Verifying the film", **speed.facts)

    parts = [Packets(part["frames"], part["packets"]) for part in ctx.results["render"].values["parts"]]
    copied = None if ctx.params.format == "gif" else parts
    inspection = inspect(film, copied=copied, look=False, on_progress=on_progress)
    if wrong := faults(inspection, _expected(ctx, timeline)):
        raise Permanent("The film did not pass verification: " + "; ".join(wrong))
    files = {"thumbnail": ctx.workdir / "thumbnail.jpg"}
    first = timeline.spans[0]
    picture = still(film, float((first.start + first.telling + 0.5) / timeline.fps))
    write_image(files["thumbnail"], scaled(picture, min(THUMBNAIL_WIDTH, picture.shape[1])))
    files |= _captions(ctx, timeline)
    return Result({"report": inspection.to_json(), "duration": timeline.seconds}, files)


def _expected(ctx: StageContext, timeline: Timeline) -> ExpectedFilm:
    params, joined = ctx.params, ctx.results["join"].values
    has_sound = "sound" in ctx.results["sound"].files
    title = params.project.title if params.format != "gif" else None  # which has no tags
    return ExpectedFilm(
        width=joined["width"],
        height=joined["height"],
        fps=params.canvas.fps,
        frames=timeline.frames,
        codec=_CODECS[params.format],
        sound_seconds=timeline.seconds if has_sound else None,
        silent=False,
        tags={"title": title} if title else {},
        cover=False,
        lively=False,
        pictures=joined.get("pictures"),
    )


def _captions(ctx: StageContext, timeline: Timeline) -> dict[str, Path]:
    """What is spoken, with its times in the film, where anything is."""
    spoken = spoken_of(ctx)
    cues = sorted(
        (cue for span in timeline.spans for cue in _heard(spoken.get(span.id, ()), span, timeline)),
        key=lambda cue: cue.start,
    )
    if not cues:
        return {}
    files = {"subtitles": ctx.workdir / "subtitles.txt", "captions": ctx.workdir / "captions.txt"}
    files["subtitles"].write_text(srt(cues), encoding="utf-8")
    files["captions"].write_text(vtt(cues), encoding="utf-8")
    return files


def _heard(cues: Sequence[Cue], span: Span, timeline: Timeline) -> Iterator[Cue]:
    """What is heard of them before the scene ends, at their times in the film."""
    start, stop = float(span.start / timeline.fps), float(span.stop / timeline.fps)
    for cue in cues:
        if start + cue.start < stop:
            yield Cue(start + cue.start, min(start + cue.end, stop), cue.text)
