"""The voice: spoken by a provider chunk by chunk, or taken from a recording."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from renderkiln.domain.errors import Permanent, Stopped, Temporary
from renderkiln.media.audio.highpass import highpass
from renderkiln.media.audio.loudness import Meter
from renderkiln.media.audio.source import RATE
from renderkiln.media.errors import MediaError
from renderkiln.media.speech.cache import SpeechCache
from renderkiln.media.speech.chunk import Chunk, chunks
from renderkiln.media.speech.contract import Refused, SpeechStopped, Unavailable, Utterance
from renderkiln.media.speech.file import voice_from_file
from renderkiln.media.speech.script import parse
from renderkiln.media.speech.speaking import Spoken, speak
from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.narration.params import NarrationParams
from renderkiln.pipelines.speakers import Speaker, speaker

_AT_ONCE = 3  # requests to one service


def voice(ctx: StageContext) -> Result:
    """Clips of mono float32 at 48 kHz and their places, with words, chapters and costs.

    One provider speaks the whole script: a voice that changed in the middle would be worse than another one.
    Raises Permanent, Temporary, Stopped.
    """
    params: NarrationParams = ctx.params
    if not params.layers.voice.enabled:
        return Result(
            {"clips": [], "seconds": 0.0, "lufs": None, "words": [], "chapters": [], "receipt": None}
        )
    if "voice" in ctx.results["download"].files:
        return _recorded(ctx)
    references = list(dict.fromkeys((params.voice, *ctx.services.fallback)))
    for reference, following in zip(references, [*references[1:], None], strict=True):
        try:
            return _spoken(ctx, speaker(reference, ctx.services), asked=params.voice)
        except (Unavailable, Refused) as error:
            if following is None:
                raise _given_up(reference, error) from error
            ctx.warn("voice", f"{reference} does not speak: {error}. {following} speaks instead")
    raise AssertionError("there is always a voice to be asked")


def _given_up(reference: str, error: Unavailable | Refused) -> Temporary | Permanent:
    if isinstance(error, Unavailable):
        return Temporary(f"{reference} does not speak: {error}", delay=error.retry_after)
    return Permanent(f"{reference} does not speak: {error}")


def _spoken(ctx: StageContext, chosen: Speaker, *, asked: str) -> Result:
    params: NarrationParams = ctx.params
    provider = chosen.provider
    limit = min(provider.limit, ctx.services.speech.chunk_size)
    pieces = chunks(parse(params.script), limit)
    cache = SpeechCache(ctx.services.cache / "speech")
    said = _Said(ctx, sum(len(piece.text) for piece in pieces))

    def one(numbered: tuple[int, Chunk]) -> Result:
        number, piece = numbered
        utterance = Utterance(
            text=piece.text,
            voice=chosen.voice,
            speed=params.speed,
            language=params.language,
            before=piece.before if provider.stitches else "",
            after=piece.after if provider.stitches else "",
        )
        try:
            spoken = speak(utterance, provider, cache, stop=said.stop)
        except SpeechStopped as error:
            raise Stopped(str(error)) from error
        ctx.paid(spoken.cost)
        said.add(len(piece.text))
        return _kept(ctx.workdir / f"voice-{number:04}.f32", spoken, len(piece.text))

    items = {_key(chosen, n): (n, piece) for n, piece in enumerate(pieces) if piece.text}
    try:
        parts = ctx.parts(items, one, workers=min(_AT_ONCE, ctx.services.cores + 1))
    finally:
        provider.close()
    return _laid_out(pieces, [parts.get(_key(chosen, n)) for n in range(len(pieces))], chosen, asked)


def _key(chosen: Speaker, number: int) -> str:
    return f"{chosen.reference}-{number:04}"


class _Said:
    """How much of the script is spoken, for all threads that speak."""

    def __init__(self, ctx: StageContext, characters: int) -> None:
        self._ctx, self._whole, self._done = ctx, max(1, characters), 0
        self._lock = threading.Lock()

    def add(self, characters: int) -> None:
        with self._lock:
            self._done += characters
        self._ctx.progress(
            self._done / self._whole, f"Generating voice, {self._done} of {self._whole} characters"
        )

    def stop(self) -> bool:
        """Whether to stop speaking."""
        try:
            self._ctx.progress(self._done / self._whole)
        except Stopped:
            return True
        return False


def _kept(path: Path, spoken: Spoken, characters: int) -> Result:
    speech = spoken.speech
    assert speech.rate == RATE
    highpass(speech.samples, RATE).astype("<f4").tofile(path)  # synthetic voices thump at plosives
    values = {
        "samples": len(speech.samples),
        "words": [[word.text, round(word.start, 3), round(word.end, 3)] for word in speech.words],
        "characters": characters,
        "cached": spoken.cached,
        "tries": spoken.tries,
        "cost": spoken.cost,
    }
    return Result(values, {"sound": path})


def _laid_out(pieces: Sequence[Chunk], parts: Sequence[Result | None], chosen: Speaker, asked: str) -> Result:
    """One after another, with their silences; times count from where the voice begins."""
    clips: list[dict[str, Any]] = []
    words: list[list[Any]] = []
    chapters: list[dict[str, Any]] = []
    files: dict[str, Path] = {}
    at = 0  # samples
    for number, (piece, part) in enumerate(zip(pieces, parts, strict=True)):
        chapters += [{"title": title, "start": at / RATE} for title in piece.chapters[-1:]]
        if part is not None:
            name, samples = f"voice-{number:04}", part.values["samples"]
            clips.append({"start": at, "samples": samples, "file": name})
            files[name] = part.files["sound"]
            words += _words(piece, part, at / RATE)
            at += samples
        at += round(piece.silence * RATE)
    spoken = [part.values for part in parts if part is not None]
    receipt = {
        "provider": chosen.provider.name,
        "voice": chosen.voice,
        "asked": asked,
        "chunks": len(spoken),
        "cached": sum(each["cached"] for each in spoken),
        "tries": sum(each["tries"] for each in spoken),
        "characters": sum(each["characters"] for each in spoken),
        "cost": round(sum(each["cost"] for each in spoken), 6),
    }
    values = {
        "clips": clips,
        "seconds": at / RATE,
        "lufs": loudness_of([files[clip["file"]] for clip in clips]),
        "words": words,
        "chapters": chapters,
        "receipt": receipt,
    }
    return Result(values, files)


def _words(piece: Chunk, part: Result, at: float) -> list[list[Any]]:
    """Words with their times; the whole chunk as one where the provider does not tell."""
    told = part.values["words"]
    if not told:
        return [[piece.text, at, at + part.values["samples"] / RATE]]
    return [[text, round(at + start, 3), round(at + end, 3)] for text, start, end in told]


def _recorded(ctx: StageContext) -> Result:
    source = ctx.results["download"].files["voice"]
    path = ctx.workdir / "voice-0000.f32"
    try:
        recording = voice_from_file(
            source, path, max_seconds=ctx.services.limits.narration, stop=_Said(ctx, 1).stop
        )
    except SpeechStopped as error:
        raise Stopped(str(error)) from error
    except MediaError as error:
        raise Permanent(f"The recorded voice: {error}") from error
    for warning in recording.warnings:
        ctx.warn(warning.code, f"The recorded voice: {warning.message}")
    samples = recording.samples
    values = {
        "clips": [{"start": 0, "samples": samples, "file": "voice-0000"}],
        "seconds": samples / RATE,
        "lufs": loudness_of([path]),
        "words": [],
        "chapters": [],
        "receipt": {"provider": "file", "voice": ctx.results["download"].values["voice"]["source"]},
    }
    return Result(values, {"voice-0000": path})


def loudness_of(paths: Sequence[Path]) -> float | None:
    """Integrated loudness in LUFS of clips as they will be heard, in both channels; None if there is none."""
    meter = Meter(RATE)
    for path in paths:
        sound = np.memmap(path, np.float32, "r")
        for start in range(0, len(sound), RATE):
            meter.add(np.repeat(sound[None, start : start + RATE], 2, axis=0))
    return meter.result().to_json()["integrated"]
