"""The speech that needs nothing: eSpeak NG, offline and free, in a process of its own for each utterance."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

from renderkiln.media.speech.contract import (
    JSON,
    Refused,
    Speech,
    SpeechStopped,
    Stop,
    Unavailable,
    UnknownVoice,
    Utterance,
    Voice,
    Word,
)
from renderkiln.media.speech.pcm import from_pcm
from renderkiln.media.speech.settings import SpeechSettings
from renderkiln.media.speech.words import spans

SLOWEST, FASTEST = 80, 450  # words a minute
_LIMIT = 1500  # characters: it hears no neighbours, so shorter chunks cost nothing and use more cores
_SECONDS, _SECONDS_PER_CHARACTER = 60.0, 3.0  # more speech than any text has: a letter's name takes a second
_TICK = 0.1
_WORD = 1  # event


class Espeak:
    """`espeak:VOICE` or `espeak:VOICE+VARIANT`: en-us, de, cmn, en+f3."""

    name = "espeak"
    stitches = False
    cost_per_character = 0.0

    def __init__(self, settings: SpeechSettings) -> None:
        self._settings = settings
        self.version = version("espeakng-loader")
        self.limit = min(settings.chunk_size, _LIMIT)

    def check(self, voice: str) -> None:
        """Raises UnknownVoice. Nothing but a known name may pass: eSpeak opens a file of that name."""
        language, plus, variant = voice.partition("+")
        known = {each.id.lower() for each in self.voices()}
        if language.lower() not in known or (plus and variant not in variants()):
            raise UnknownVoice(
                f"espeak has no voice {voice[:100]!r}: "
                "write a language such as en-us, perhaps with a variant such as en-us+f3"
            )

    def speak(self, utterance: Utterance, *, stop: Stop) -> Speech:
        """Raises UnknownVoice, Refused for a speed it cannot speak at, Unavailable, SpeechStopped."""
        self.check(utterance.voice)
        text = _CONTROL.sub(" ", utterance.text)
        request = {
            "text": text,
            "voice": utterance.voice,
            "rate": self._words_a_minute(utterance.speed),
            "pitch": self._settings.espeak_pitch,
            "seconds": _SECONDS + _SECONDS_PER_CHARACTER * len(text) / utterance.speed,
            "parent": os.getpid(),
        }
        rate, pcm, events = _answer(_run(json.dumps(request).encode(), self._settings.timeout, stop))
        samples = from_pcm(pcm)
        return Speech(rate, samples, _words(text, events, len(samples) / rate))

    def identity(self, utterance: Utterance) -> Mapping[str, JSON]:
        """Provider and version, voice, rate, pitch, text."""
        return {
            "provider": self.name,
            "version": self.version,
            "voice": utterance.voice,
            "rate": self._words_a_minute(utterance.speed),
            "pitch": self._settings.espeak_pitch,
            "text": utterance.text,
        }

    def voices(self) -> Sequence[Voice]:
        """One for each language, without the variants that each may have."""
        return _voices()

    def close(self) -> None:
        """Nothing is held."""

    def _words_a_minute(self, speed: float) -> int:
        words = round(self._settings.espeak_rate * speed)
        if not SLOWEST <= words <= FASTEST:
            raise Refused(
                f"espeak cannot speak {words} words a minute "
                f"({self._settings.espeak_rate} × {speed:g}): {SLOWEST} to {FASTEST} is possible"
            )
        return words


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # eSpeak takes U+0001 as the start of a command


@cache
def variants() -> frozenset[str]:
    """What may follow the + of a voice: f1 to f5, m1 to m8, whisper …"""
    return frozenset(path.name for path in (_data() / "voices" / "!v").iterdir())


@cache
def _voices() -> tuple[Voice, ...]:
    files = sorted(
        (path for path in (_data() / "lang").rglob("*") if path.is_file()), key=lambda path: path.name
    )
    return tuple(voice for path in files if (voice := _voice(path)))


def _voice(path: Path) -> Voice | None:
    """None for the few whose dictionary the package lacks: they say nothing."""
    fields: dict[str, str] = {}
    for line in path.read_text(errors="replace").splitlines():
        key, _, value = line.split("//")[0].strip().partition(" ")
        fields.setdefault(key, value.strip())
    language = fields.get("language", path.name).split()[0]
    dictionary = fields.get("dictionary") or language.partition("-")[0]
    if not (_data() / f"{dictionary}_dict").exists():
        return None
    return Voice(path.name.lower(), fields.get("name", path.name), language)


def _data() -> Path:
    import espeakng_loader

    return Path(espeakng_loader.get_data_path())


def _run(request: bytes, timeout: float, stop: Stop) -> bytes:
    """Let a fresh worker answer `request`. Nothing of it is left afterwards, whatever happens."""
    deadline = time.monotonic() + timeout
    # -P: a file json.py in the current folder is not the library
    command = [sys.executable, "-P", "-m", "renderkiln.media.speech.espeak_worker"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0,  # Ctrl-C is for us to hear
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    ) as worker:
        try:
            out, errors = _listen(worker, request, deadline, stop)
        except subprocess.TimeoutExpired:
            raise Unavailable(f"espeak did not answer within {timeout:g} s and was ended") from None
        finally:
            worker.kill()
    if worker.returncode != 0:
        said = errors.decode(errors="replace").strip().rpartition("\n")[2][-200:] or "it said nothing"
        raise Unavailable(f"espeak's process ended with status {worker.returncode}: {said}")
    return out


def _listen(
    worker: subprocess.Popen[bytes], request: bytes, deadline: float, stop: Stop
) -> tuple[bytes, bytes]:
    to_send: bytes | None = request
    while True:
        if stop():
            raise SpeechStopped
        try:
            return worker.communicate(to_send, timeout=_TICK)
        except subprocess.TimeoutExpired:
            to_send = None  # communicate keeps what it has not sent yet
            if time.monotonic() > deadline:
                raise


def _answer(out: bytes) -> tuple[int, bytes, list[list[int]]]:
    """Sample rate, samples and events of the worker's frames. Raises Unavailable when they are not whole."""
    rate, samples = 0, bytearray()
    with contextlib.suppress(ValueError):
        for kind, payload in _frames(out):
            match kind:
                case b"R":
                    rate = json.loads(payload)["rate"]
                case b"S":
                    samples += payload
                case b"E":
                    return rate, bytes(samples), json.loads(payload)
                case b"X":
                    raise Unavailable(f"espeak failed: {json.loads(payload)}")
    raise Unavailable("espeak's answer was cut off")


def _frames(out: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(out):
        end = at + 5 + int.from_bytes(out[at + 1 : at + 5], "little")
        if end > len(out):
            return
        yield out[at : at + 1], out[at + 5 : end]
        at = end


def _words(text: str, events: list[list[int]], seconds: float) -> tuple[Word, ...]:
    """Our words with espeak's times. It tells of some words more than once, and speaks others in one go with
    the one before: those are one Word here, so that nothing written is lost.
    """
    written = spans(text)
    ends = sorted(min(at / 1000, seconds) for event, _, at in events if event != _WORD)
    starts: dict[int, float] = {}
    word = 0
    for event, position, at in events:
        while word < len(written) and written[word][1] < position:  # positions count from 1
            word += 1
        if event == _WORD and word < len(written):
            starts.setdefault(word, min(at / 1000, seconds))
    words = []
    for (first, start), (after, next_start) in pairwise([*starts.items(), (len(written), seconds)]):
        clause_end = bisect_right(ends, start)
        end = min([next_start, *ends[clause_end : clause_end + 1]])
        words.append(Word(text[written[first][0] : written[after - 1][1]], start, end))
    return tuple(words)
