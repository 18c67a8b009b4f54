"""The voices of scenes: texts spoken by a provider, recordings decoded; one raw file for each."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from renderkiln.domain.errors import Permanent, Stopped, Temporary
from renderkiln.media.audio.highpass import highpass
from renderkiln.media.audio.loudness import Meter
from renderkiln.media.audio.source import RATE
from renderkiln.media.captions import Cue, cues_of
from renderkiln.media.errors import MediaError
from renderkiln.media.speech.cache import SpeechCache
from renderkiln.media.speech.chunk import chunks
from renderkiln.media.speech.contract import Refused, SpeechStopped, Unavailable, Utterance, Word
from renderkiln.media.speech.file import voice_from_file
from renderkiln.media.speech.script import BadScript, parse
from renderkiln.media.speech.speaking import speak
from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.scenes.called import told
from renderkiln.pipelines.scenes.document.sound import Voice
from renderkiln.pipelines.scenes.fetch import found_of
from renderkiln.pipelines.speakers import Speaker, speaker

_AT_ONCE = 3  # requests to one service


@dataclass(frozen=True)
class Spoken:
    """The voice of a scene: raw mono float32 at 48 kHz in `path`; words in seconds from its beginning."""

    path: Path
    samples: int
    lufs: float | None
    words: Sequence[Cue]

    @property
    def seconds(self) -> float:
        return self.samples / RATE

    def cues(self, start: float) -> Sequence[Cue]:
        """Captions of it, where it begins `start` seconds into its scene."""
        return cues_of([Cue(start + word.start, start + word.end, word.text) for word in self.words])


def voices(ctx: StageContext) -> dict[str, Spoken]:
    """Of every scene that has one, by the scene's id. Raises Permanent, Temporary, Stopped."""
    wanted = {id: scene.voice for id, scene in ctx.params.chosen if scene.voice is not None}
    (ctx.workdir / "voices").mkdir(exist_ok=True)
    names = {id: f"{number:04d}" for number, id in enumerate(wanted)}
    maker = _Maker(ctx, names, len(wanted))
    parts = ctx.parts(
        {f"voice-{names[id]}": (id, voice) for id, voice in wanted.items()},
        maker.make,
        workers=min(_AT_ONCE, ctx.services.cores + 1),
    )
    return {id: _of(parts[f"voice-{names[id]}"]) for id in wanted}


def _of(result: Result) -> Spoken:
    values = result.values
    words = [Cue(start, end, text) for text, start, end in values["words"]]
    return Spoken(result.files["sound"], values["samples"], values["lufs"], words)


class _Maker:
    def __init__(self, ctx: StageContext, names: dict[str, str], count: int) -> None:
        self._ctx, self._names, self._count = ctx, names, count
        self._lock = threading.Lock()
        self._done = 0

    def make(self, wanted: tuple[str, Voice]) -> Result:
        id, voice = wanted
        path = self._ctx.workdir / "voices" / f"{self._names[id]}.f32"
        made = self._recorded(id, voice, path) if voice.file is not None else self._said(id, voice, path)
        with self._lock:
            self._done += 1
            self._ctx.progress(0.5 * self._done / self._count, f"Voices, {self._done} of {self._count}")
        return made

    def _recorded(self, id: str, voice: Voice, path: Path) -> Result:
        assert voice.file is not None
        source = found_of(self._ctx)[voice.file].path
        try:
            recording = voice_from_file(
                source,
                path,
                max_seconds=self._ctx.services.limits.duration,
                stop=self._stop,
            )
        except SpeechStopped as error:
            raise Stopped(str(error)) from error
        except MediaError as error:
            said = told(error, source, voice.file)
            raise Permanent(f"The voice of the scene {id}: {said}") from error
        for warning in recording.warnings:
            self._ctx.warn(warning.code, f"The voice of the scene {id}: {warning.message}")
        sound = np.memmap(path, np.float32, "r")
        return Result({"samples": recording.samples, "lufs": _loudness(sound), "words": []}, {"sound": path})

    def _said(self, id: str, voice: Voice, path: Path) -> Result:
        asked = voice.voice or self._ctx.params.project.voice
        references = list(dict.fromkeys((asked, *self._ctx.services.fallback)))
        for reference, following in zip(references, [*references[1:], None], strict=True):
            try:
                return self._spoken_by(speaker(reference, self._ctx.services), voice, path)
            except BadScript as error:
                raise Permanent(f"The voice of the scene {id}: {error}") from error
            except (Unavailable, Refused) as error:
                if following is None:
                    raise _given_up(reference, error) from error
                self._ctx.warn("voice", f"{reference} does not speak: {error}. {following} speaks instead")
        raise AssertionError("there is always a voice to be asked")

    def _spoken_by(self, chosen: Speaker, voice: Voice, path: Path) -> Result:
        assert voice.speech is not None
        provider, cache = chosen.provider, SpeechCache(self._ctx.services.cache / "speech")
        limit = min(provider.limit, self._ctx.services.speech.chunk_size)
        sounds: list[np.ndarray[Any, np.dtype[np.float32]]] = []
        words: list[list[Any]] = []
        at = 0
        try:
            for piece in chunks(parse(voice.speech), limit):
                if piece.text:
                    utterance = Utterance(
                        text=piece.text, voice=chosen.voice, speed=voice.speed, language=voice.language
                    )
                    said = speak(utterance, provider, cache, stop=self._stop)
                    self._ctx.paid(said.cost)
                    speech = said.speech
                    told = speech.words or (Word(piece.text, 0.0, len(speech.samples) / RATE),)
                    words += [[word.text, at / RATE + word.start, at / RATE + word.end] for word in told]
                    sounds.append(highpass(speech.samples, RATE))
                    at += len(speech.samples)
                rest = round(piece.silence * RATE)
                sounds.append(np.zeros(rest, np.float32))
                at += rest
        except SpeechStopped as error:
            raise Stopped(str(error)) from error
        finally:
            provider.close()
        sound = np.concatenate(sounds) if sounds else np.zeros(0, np.float32)
        sound.astype("<f4").tofile(path)
        return Result({"samples": len(sound), "lufs": _loudness(sound), "words": words}, {"sound": path})

    def _stop(self) -> bool:
        try:
            self._ctx.progress(0.5 * self._done / max(1, self._count))
        except Stopped:
            return True
        return False


def _given_up(reference: str, error: Unavailable | Refused) -> Temporary | Permanent:
    if isinstance(error, Unavailable):
        return Temporary(f"{reference} does not speak: {error}", delay=error.retry_after)
    return Permanent(f"{reference} does not speak: {error}")


def _loudness(sound: np.ndarray[Any, np.dtype[np.float32]]) -> float | None:
    """LUFS as it will be heard, in both channels."""
    meter = Meter(RATE)
    for start in range(0, len(sound), RATE):
        meter.add(np.repeat(sound[None, start : start + RATE], 2, axis=0))
    lufs: float | None = meter.result().to_json()["integrated"]
    return lufs
