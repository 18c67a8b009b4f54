"""Looks at the clip once: what it is, and small pictures of it by which effects are chosen."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av

from renderkiln.media.container import translated
from renderkiln.media.errors import Unsuitable
from renderkiln.media.ffmpeg.transcode import MOST_CHANNELS
from renderkiln.media.video.difference import Likeness, from_raw
from renderkiln.media.video.plain import plain
from renderkiln.media.video.rate import FASTEST, SLOWEST
from renderkiln.media.video.samples import samples
from renderkiln.media.video.survey import Survey, survey
from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.variations.clip import Clip
from renderkiln.pipelines.variations.params import VariationsParams
from renderkiln.pipelines.variations.small import make_small, small_size, tiny_size, try_effects

_RATE = 25  # any: times do not matter here
_UNWRITABLE = ("pal8",)  # swscale reads it only
_STORED_SIDE = 960  # pixels: what is larger is made smaller before it is written down


def look(ctx: StageContext) -> Result:
    """Survey the clip and keep small pictures. Raises Unreadable, Unsuitable, FFmpegFailed, Stopped."""
    params: VariationsParams = ctx.params
    path = ctx.inputs[0].path

    def stop() -> bool:
        ctx.progress(0, "Looking at the clip")  # it raises Stopped by itself
        return False

    found = _without_tags(survey(path, stop=stop))
    _check_length(found.duration, ctx.services.limits.duration)
    clip = Clip.of(found, params)
    if clip.channels > MOST_CHANNELS:
        raise Unsuitable(
            f"the sound has {clip.channels} channels, and AAC {MOST_CHANNELS} at most: ask for stereo"
        )
    _tell(ctx, clip)
    small, tiny = _small(ctx, clip, path), ctx.workdir / "tiny.yuv"
    ctx.run_ffmpeg(try_effects(clip, small, [], tiny))
    values = {"survey": found.to_json(), "duration": found.duration}
    return Result(values, {"small": small, "likeness": tiny})


def looked_at(ctx: StageContext) -> Clip:
    """The clip of a job that has been looked at."""
    return Clip.from_json(ctx.results["look"].values["survey"], ctx.params)


def likeness_of_clip(ctx: StageContext, clip: Clip) -> Likeness:
    """What a clip looks like that has been looked at."""
    return from_raw(ctx.results["look"].files["likeness"], *tiny_size(clip.width, clip.height))


def _without_tags(found: Survey) -> Survey:
    """Reports and records go from hand to hand: phones write down where they were, covers have megabytes."""
    return replace(found, info=replace(found.info, tags={}, cover=None))


def _check_length(duration: float, limit: float) -> None:
    if duration > limit:
        raise Unsuitable(
            f"the clip lasts {duration / 3600:.1f} h; {limit / 3600:.1f} h is the most (setting max_duration)"
        )


def _tell(ctx: StageContext, clip: Clip) -> None:
    """What the variations will not have of the clip."""
    found = clip.survey
    if found.variable:
        rate, shown = f"{float(clip.fps):.5g}", found.frames / found.duration
        odd = "varies" if SLOWEST <= shown <= FASTEST else f"is {shown:.3g}"
        ctx.warn("variable-rate", f"The clip's frame rate {odd}: its variations have {rate} frames a second")
    if many := _several(found):
        ctx.warn("several", f"The clip has {many}: the first film and the sound that players take are used")
    if found.hdr:
        ctx.warn(
            "hdr", f"The clip is HDR ({found.hdr.upper()}): its variations are SDR, tone-mapped to BT.709"
        )
    if found.interlaced:
        ctx.warn("interlaced", "The clip is interlaced: its variations are progressive")
    if found.pixel_aspect != 1:
        ctx.warn(
            "pixel-aspect", f"The clip's pixels are not square: {clip.width}x{clip.height} shows the same"
        )
    elif found.width % 2 or found.height % 2:
        ctx.warn(
            "odd-size", f"H.264 needs an even size: a row or column goes, {clip.width}x{clip.height} is left"
        )
    if found.audio is not None and found.audio.end > found.start + found.duration + 1:
        late = found.audio.end - found.start - found.duration
        ctx.warn("long-sound", f"The sound goes on {late:.1f} s after the picture: that part is left out")


def _several(found: Survey) -> str:
    """How many there are of what only one is taken of."""
    kinds = Counter(stream.kind for stream in found.info.streams if not stream.attached_picture)
    films = [f"{kinds['video']} films"] if kinds["video"] > 1 else []
    sounds = [f"{kinds['audio']} sound tracks"] if kinds["audio"] > 1 else []
    return " and ".join(films + sounds)


def _small(ctx: StageContext, clip: Clip, path: Path) -> Path:
    stored, small = ctx.workdir / "moments.nut", ctx.workdir / "small.yuv"
    with translated(path):
        width, height, format = _store(clip, path, stored)
    # A few frames apart from each other: no field of one belongs to the next.
    still = replace(clip.survey, width=width, height=height, pixel_format=format, interlaced="")
    ctx.run_ffmpeg(make_small(stored, plain(still), *small_size(clip.width, clip.height), small))
    stored.unlink()
    return small


def _store(clip: Clip, path: Path, target: Path) -> tuple[int, int, str]:
    """Write the frames at the clip's moments as they are, but no larger than needed; their size and format.

    Raises Unsuitable where the clip's pictures change their size.
    """
    found = clip.survey
    width, height = _no_larger(found)
    with av.open(str(target), "w", format="nut") as container:
        stream = container.add_stream("rawvideo", rate=_RATE)
        stream.width, stream.height = width, height
        stream.pix_fmt = "rgb24" if found.pixel_format in _UNWRITABLE else found.pixel_format
        for number, frame in enumerate(samples(path, found, clip.moments)):
            if (frame.width, frame.height) != (found.width, found.height):
                raise Unsuitable(
                    f"the clip's pictures change their size, from {found.width}x{found.height} to "
                    f"{frame.width}x{frame.height}: cut it there"
                )
            tidy = frame.reformat(width=width, height=height, format=stream.pix_fmt)
            tidy.pts, tidy.time_base = number, Fraction(1, _RATE)
            container.mux(stream.encode(tidy))
        container.mux(stream.encode(None))
        return width, height, stream.pix_fmt


def _no_larger(found: Survey) -> tuple[int, int]:
    scale = min(1.0, _STORED_SIDE / max(found.width, found.height))
    return max(2, round(found.width * scale / 2) * 2), max(2, round(found.height * scale / 2) * 2)
