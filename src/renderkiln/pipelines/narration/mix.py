"""Mixes voice, music and tones, each at its level beside the voice, into one spool of float samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from renderkiln.domain.errors import Permanent
from renderkiln.media.audio.duck import Duck
from renderkiln.media.audio.loop import Loop
from renderkiln.media.audio.mix import Layer, Mix
from renderkiln.media.audio.source import RATE, Source
from renderkiln.media.audio.spool import Spool
from renderkiln.media.audio.timeline import Clip, Timeline
from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.narration.balance import voice_to_bed
from renderkiln.pipelines.narration.leaving import beds_left, unless_left_out
from renderkiln.pipelines.narration.length import Length, length_of
from renderkiln.pipelines.narration.params import Background, Bed, NarrationParams
from renderkiln.pipelines.narration.tones import source_of

# What every layer is brought to before its gain counts: then -14 dB is as soft beside any voice, however loud
# a track was mastered. LUFS of voice and music, dBFS (RMS) of tones and noise.
REFERENCE = -20.0


def mix(ctx: StageContext) -> Result:
    """The spool, how long it is, and which layers are in it. Raises Permanent where it would be too long."""
    params: NarrationParams = ctx.params
    left_out: dict[str, str] = {}
    sources = {
        name: source
        for name, bed in beds_left(params.layers.beds(), ctx.results).items()
        if (source := unless_left_out(ctx, name, bed, _opened(ctx, bed), left_out)) is not None
    }
    length = _length(ctx, bed=bool(sources))
    clips = _clips(ctx, length)
    duck = _duck(params, clips) if "background" in sources else None
    layers = [_bed(ctx, name, source) for name, source in sources.items()]
    if clips:
        layers.append(Layer(Timeline(clips), _voice_gain(ctx)))
    samples = round(length.seconds * RATE)
    spool = Spool.record(
        ctx.workdir / "mix.f32",
        Mix(layers, samples, duck).blocks(),
        lambda done: ctx.progress(done / samples, "Mixing"),
    )
    values = {
        "length": length.to_json(),
        "layers": [*(["voice"] if clips else []), *sources],
        "voiceToBed": voice_to_bed(spool, duck or (Duck(clips) if clips else None)),
        "leftOut": left_out,
    }
    files = {"mix": spool.path, "peaks": _beside(spool, "peaks"), "energies": _beside(spool, "energies")}
    return Result(values, files)


def _opened(ctx: StageContext, bed: Bed) -> Callable[[], Source]:
    def open_() -> Source:
        if isinstance(bed, Background):
            music = ctx.results["download"].files["music"]
            return Loop(
                music, scratch=ctx.workdir, crossfade=bed.crossfade_s, enough=ctx.services.limits.narration
            )
        return source_of(bed, ctx.params.seed)

    return open_


def _length(ctx: StageContext, *, bed: bool) -> Length:
    length = length_of(ctx.params, ctx.results["voice"].values["seconds"], bed=bed)
    longest = ctx.services.limits.narration
    if length.seconds > longest:
        raise Permanent(
            f"The narration would take {length.seconds / 60:.1f} minutes; at most {longest / 60:g} are made "
            "(setting max_duration_minutes)"
        )
    if length.requested is not None and length.seconds != length.requested:
        ctx.warn("duration", f"It lasts {length.seconds:.1f} s, not {length.requested:g} s: {length.why}")
    return length


def _clips(ctx: StageContext, length: Length) -> list[Clip]:
    begins = round(length.voice_begins * RATE)
    spoken = ctx.results["voice"]
    return [
        Clip(begins + each["start"], spoken.files[each["file"]], each["samples"])
        for each in spoken.values["clips"]
    ]


def _duck(params: NarrationParams, clips: list[Clip]) -> Duck | None:
    music = params.layers.background
    return Duck(clips, music.duck_db) if music is not None and clips else None


def _bed(ctx: StageContext, name: str, source: Source) -> Layer:
    bed = ctx.params.layers.beds()[name]
    level = _level(ctx.results, name)
    gain = REFERENCE - level + bed.gain_db
    return Layer(source, gain, bed.fade_in_s, bed.fade_out_s, ducked=isinstance(bed, Background))


def _level(results: Mapping[str, Result], name: str) -> float:
    """How loud a layer is by itself: LUFS, or dBFS of tones and noise."""
    if name == "background":
        lufs: float | None = results["download"].values["music"]["lufs"]
        return REFERENCE if lufs is None else lufs  # too short to have a loudness
    rms: float = results["tones"].values["rms"][name]
    return 20 * math.log10(rms)


def _voice_gain(ctx: StageContext) -> float:
    lufs: float | None = ctx.results["voice"].values["lufs"]
    gain: float = ctx.params.layers.voice.gain_db
    return gain if lufs is None else gain + REFERENCE - lufs


def _beside(spool: Spool, name: str) -> Any:
    return spool.path.with_name(f"{spool.path.name}.{name}")
