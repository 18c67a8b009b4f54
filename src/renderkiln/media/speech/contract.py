"""What a speech provider is: the contract that ours and those of others keep.

A provider is a class found by the entry point group `renderkiln.speech` under the name that voices are asked
for by, `name:voice`. `renderkiln.media.speech.exam.SpeechExam` is the exam that every one passes.

    MediaError
    ├── NotConfigured    a key or an address is missing; says which
    ├── UnknownVoice     the provider has no such voice
    ├── Refused          will not be spoken by this provider: a wrong key, no money, content refused
    ├── Unavailable      not now: network, rate limits, a broken answer; may know how long to wait
    └── SpeechStopped    the caller wished to stop
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from renderkiln.media.errors import MediaError, Unsuitable
from renderkiln.media.speech.settings import SpeechSettings

JSON = Any
Mono = npt.NDArray[np.float32]  # shape (n,), full scale is 1.0
Stop = Callable[[], bool]

DEFAULT_PROVIDER = "espeak"
SLOWEST, FASTEST = 0.25, 4.0


class NotConfigured(MediaError):
    """The provider lacks what it needs to work."""

    def __init__(self, need: str) -> None:
        super().__init__(f"TTS provider not configured: {need}")


class UnknownVoice(MediaError):
    """The provider has no voice of this name."""


class Refused(MediaError):
    """The provider will not do it, however often it is asked."""


class Unavailable(MediaError):
    """The provider cannot do it now. `retry_after` is the wait it asked for, in seconds."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SpeechStopped(MediaError):
    """Speaking was stopped by its caller."""

    def __init__(self) -> None:
        super().__init__("speaking was stopped")


@dataclass(frozen=True)
class Utterance:
    """Text to be spoken in one go. `before` and `after` are what is said around it, for those that stitch.

    Raises Unsuitable for a speed outside 0.25 to 4, and for text that is no Unicode (lone surrogates).
    """

    text: str
    voice: str
    speed: float = 1.0
    language: str | None = None  # as in BCP 47, "de" or "pt-BR"; None: the provider decides
    before: str = ""
    after: str = ""

    def __post_init__(self) -> None:
        if not SLOWEST <= self.speed <= FASTEST:
            raise Unsuitable(f"a speed of {self.speed:g} is not possible: {SLOWEST:g} to {FASTEST:g} is")
        try:
            f"{self.text}{self.voice}{self.before}{self.after}".encode()
        except UnicodeEncodeError:
            raise Unsuitable(
                "the text holds halves of characters (lone surrogates) that nobody can speak"
            ) from None


@dataclass(frozen=True)
class Word:
    """A word as it was written, and when it is heard, in seconds within the utterance."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, eq=False)
class Speech:
    """Spoken sound, float32 of shape (n,), with its words where the provider tells. `cost` is in USD."""

    rate: int
    samples: Mono
    words: tuple[Word, ...] = ()
    cost: float = 0.0

    @property
    def seconds(self) -> float:
        """Duration."""
        return len(self.samples) / self.rate


@dataclass(frozen=True)
class Voice:
    """A voice to choose: `id` is its name in an utterance, `language` as in BCP 47, empty if it has many."""

    id: str
    name: str
    language: str = ""


class Provider(Protocol):
    """Speaks. Made once for each process that speaks; several threads may use it at once."""

    name: str
    version: str  # changes whenever the same request may sound different
    limit: int  # characters of text per utterance
    stitches: bool  # whether the neighbouring text changes the sound
    cost_per_character: float  # USD

    def __init__(self, settings: SpeechSettings) -> None: ...

    def check(self, voice: str) -> None:
        """Raises NotConfigured or UnknownVoice, without a request to anyone: before any work is begun."""

    def speak(self, utterance: Utterance, *, stop: Stop) -> Speech:
        """Say it, once, without trying again.

        Raises Refused, Unavailable, UnknownVoice, NotConfigured, and SpeechStopped within a second of
        `stop` becoming true.
        """

    def identity(self, utterance: Utterance) -> Mapping[str, JSON]:
        """All that decides the sound, and no secret: the key under which it is kept."""

    def voices(self) -> Sequence[Voice]:
        """The voices known without asking anyone; others may exist."""

    def close(self) -> None:
        """Give connections back. It is not used afterwards."""


def split_voice(reference: str) -> tuple[str, str]:
    """Provider and voice of a reference: `openai:alloy`; a lone `en-us` is one of espeak's.

    Raises UnknownVoice when either is empty.
    """
    provider, colon, voice = reference.strip().partition(":")
    if not colon:
        provider, voice = DEFAULT_PROVIDER, provider
    if not provider or not voice:
        raise UnknownVoice(f"{reference[:100]!r} names no voice: write provider:voice, such as espeak:en-us")
    return provider, voice
