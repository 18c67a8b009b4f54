"""Hears the song once, from start to end: its features, its waveform, and the sound track of the film."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from fractions import Fraction
from pathlib import Path

import numpy as np

from renderkiln.media import probe
from renderkiln.media.audio.decode import AudioFacts, AudioSource, open_audio
from renderkiln.media.audio.features import Features
from renderkiln.media.audio.peaks import Peaks
from renderkiln.media.audio.spectrum import SpectrumAnalyser
from renderkiln.media.audio.stereo import Block
from renderkiln.media.errors import FFmpegFailed, MediaError
from renderkiln.media.ffmpeg.command import copy_audio, encode_audio
from renderkiln.media.ffmpeg.run import Feed
from renderkiln.media.frames.image import Pixels, decode_image, fit_within, read_image, write_image
from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.experience import speed_before
from renderkiln.pipelines.visualizer.film import DrawableFilm
from renderkiln.pipelines.visualizer.pace import VERIFYING, kind_of
from renderkiln.pipelines.visualizer.params import VisualizerParams

CARRIED_TAGS = ("title", "artist", "album", "album_artist", "composer", "genre", "date", "track", "comment")
_COVER_SIDE = 1400  # pixels; larger ones only make the film's header larger


def listen(ctx: StageContext) -> Result:
    """Decode, analyse, make the sound track. Raises Unreadable, Unsuitable, FFmpegFailed, Stopped."""
    features, peaks = ctx.workdir / "features.npy", ctx.workdir / "peaks.json"
    analyser, waveform, facts, sound = _hear(ctx)
    for warning in facts.warnings:
        ctx.warn(warning.code, warning.message)
    frames = frame_count(facts.samples, facts.rate, ctx.params.fps)
    analyser.finish(features, frames)
    waveform.write(peaks)
    files = {"features": features, "peaks": peaks, "sound": sound}
    if cover := _cover(ctx):
        files["cover"] = cover
    values = {
        "frames": frames,
        "duration": facts.seconds,
        "tags": _carried_tags(facts.tags, ctx.params),
        "audio": facts.to_json(),
    }
    return Result(values, files)


def frame_count(samples: int, rate: int, fps: int) -> int:
    """Frames that cover the whole sound: ceil(duration × fps), in exact arithmetic."""
    return math.ceil(Fraction(samples * fps, rate))


def heard_film(ctx: StageContext) -> DrawableFilm:
    """The film of a job whose song has been heard."""
    params: VisualizerParams = ctx.params
    heard = ctx.results["listen"]
    cover = heard.files.get("cover")
    return DrawableFilm.of(
        params,
        Features.load(heard.files["features"], Fraction(params.fps)),
        title=heard.values["tags"].get("title", ""),
        artist=heard.values["tags"].get("artist", ""),
        cover=cover.read_bytes() if cover else None,
        fonts=ctx.services.fonts,
    )


def _hear(ctx: StageContext) -> tuple[SpectrumAnalyser, Peaks, AudioFacts, Path]:
    sound = ctx.workdir / "sound.m4a"
    with open_audio(ctx.inputs[0].path, max_seconds=ctx.services.limits.duration) as source:
        copied = source.codec == "aac"
        analyser = SpectrumAnalyser(source.rate, Fraction(ctx.params.fps), scratch=ctx.workdir)
        waveform = Peaks(source.rate)
        with nullcontext() if copied else _encoder(ctx, source.rate, sound) as encoder:
            for block in _with_progress(ctx, source):
                analyser.add(block.mean(axis=0))
                waveform.add(block)
                if encoder is not None:
                    encoder.write(_interleaved(block))
            if encoder is not None:
                encoder.finish()
        facts = source.facts
    if copied:
        _copy_or_encode(ctx, facts, sound)
    return analyser, waveform, facts, sound


def _copy_or_encode(ctx: StageContext, facts: AudioFacts, sound: Path) -> None:
    """AAC goes into the film as it is, unless it is damaged: then what decodes is encoded anew."""
    path = ctx.inputs[0].path
    harmless = {"silent", "clipping"}
    if all(warning.code in harmless for warning in facts.warnings):
        try:
            ctx.run_ffmpeg(copy_audio(source=path, output=sound))
        except FFmpegFailed as error:
            ctx.log.info("the AAC of %s cannot be copied, encoding it: %s", path, error)
        else:
            return
    with open_audio(path) as source, _encoder(ctx, source.rate, sound) as encoder:
        for block in _with_progress(ctx, source):
            encoder.write(_interleaved(block))
        encoder.finish()


def _encoder(ctx: StageContext, rate: int, sound: Path) -> Feed:
    return ctx.feed_ffmpeg(encode_audio(rate=rate, output=sound))


def _interleaved(block: Block) -> memoryview:
    return np.ascontiguousarray(block.T).data


def _with_progress(ctx: StageContext, source: AudioSource) -> Iterator[Block]:
    heard, begun = 0, time.monotonic()
    drawing = _drawing_time(ctx, source.promised_seconds)
    for block in source.blocks():
        yield block
        heard += block.shape[1]
        promised = (source.promised_seconds or 0) * source.rate
        # Without an honest header nobody knows the length: approach the end without reaching it.
        fraction = heard / promised if promised else 1 - 1 / (1 + heard / source.rate / 60)
        left = max(0.0, 1 / fraction - 1) * (time.monotonic() - begun)
        eta = None if drawing is None else round(left + drawing, 1)
        ctx.progress(min(fraction, 0.99), "Listening to the song", eta_seconds=eta)


def _drawing_time(ctx: StageContext, promised: float | None) -> float | None:
    """Seconds from the first frame to the verified film, if a film of this kind was drawn here before."""
    fps = speed_before(ctx.services.cache, kind_of(ctx.params, ctx.services.cores))
    if fps is None or not promised:
        return None
    frames: float = promised * ctx.params.fps
    return frames * (1 + VERIFYING) / fps


def _carried_tags(tags: Mapping[str, str], params: VisualizerParams) -> Mapping[str, str]:
    """The film's tags: the song's, with the title and artist that were asked for."""
    carried = {key: tags[key] for key in CARRIED_TAGS if tags.get(key)}
    look = params.template_params()
    asked = {"title": look.title, "artist": look.artist}
    carried |= {key: text for key, text in asked.items() if text is not None}
    return {key: text for key, text in carried.items() if text}


def _cover(ctx: StageContext) -> Path | None:
    """The cover asked for, else the one the song carries, as a JPEG of bounded size."""
    asked: Path | None = ctx.params.template_params().cover
    target = ctx.workdir / "cover.jpg"
    if asked is not None:
        _write_cover(read_image(asked), target)
        return target
    carried = probe.probe(ctx.inputs[0].path).cover
    if carried is None:
        return None
    try:
        _write_cover(decode_image(carried.data, "cover"), target)
    except MediaError as error:
        ctx.warn("cover", f"The song's cover picture cannot be used: {error}")
        return None
    return target


def _write_cover(picture: Pixels, target: Path) -> None:
    write_image(target, fit_within(picture, _COVER_SIDE, _COVER_SIDE))
