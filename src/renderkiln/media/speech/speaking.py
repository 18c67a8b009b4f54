"""Says an utterance: from the cache, or by a provider that is asked again when it is busy."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from renderkiln.media.errors import MediaError, Unsuitable
from renderkiln.media.speech.cache import SpeechCache, key_of
from renderkiln.media.speech.contract import Provider, Speech, SpeechStopped, Stop, Unavailable, Utterance
from renderkiln.media.speech.finish import finished

LONGEST_WAIT = 60.0  # seconds, whatever a server asks for
PATIENCE = 180.0  # seconds to wait for another process that makes the same speech
_TICK = 0.1


@dataclass(frozen=True)
class Spoken:
    """`speech` is mono at 48 kHz; `tries` and `cost` (USD) are 0 when it came from the cache."""

    speech: Speech
    cached: bool
    tries: int
    cost: float


def speak(
    utterance: Utterance,
    provider: Provider,
    cache: SpeechCache,
    *,
    stop: Stop,
    tries: int = 3,
    first: float = 1.0,
    sleep: Callable[[float], None] = time.sleep,
    jitter: Callable[[], float] = random.random,
    on_try: Callable[[int, MediaError | None], None] = lambda _number, _error: None,
) -> Spoken:
    """Say it once and keep it. `first` is the wait after the first failure; it doubles with each.

    `on_try` hears how each try ended, None for well. Raises what the provider does: Unavailable after the
    last of `tries`, everything else at once. Raises Unsuitable for text over the provider's limit, OSError
    when the cache's folder cannot be written to.
    """
    if len(utterance.text) > provider.limit:
        raise Unsuitable(
            f"{provider.name} speaks at most {provider.limit} characters at once, "
            f"and this text has {len(utterance.text)}: cut it into chunks"
        )
    key = key_of(provider.identity(utterance))
    if (known := cache.get(key)) is not None:
        return Spoken(finished(known), cached=True, tries=0, cost=0.0)
    with cache.making(key, patience=PATIENCE, stop=stop):
        if (known := cache.get(key)) is not None:  # made by another while we waited
            return Spoken(finished(known), cached=True, tries=0, cost=0.0)
        for number in range(1, tries + 1):
            try:
                speech = provider.speak(utterance, stop=stop)
                ready = finished(speech)
            except Unavailable as error:
                on_try(number, error)
                if number == tries:
                    raise
                _wait(_seconds(error, number, first, jitter), sleep, stop)
            except MediaError as error:
                on_try(number, error)
                raise
            else:
                on_try(number, None)
                with contextlib.suppress(OSError):  # a full disk must not lose what was paid for
                    cache.put(key, speech)
                return Spoken(ready, cached=False, tries=number, cost=speech.cost)
    raise ValueError("at least one try is needed")


def _seconds(error: Unavailable, number: int, first: float, jitter: Callable[[], float]) -> float:
    """What the server asks for, or else half to all of a doubling wait, so that not all come back at once."""
    if error.retry_after is not None:
        return min(error.retry_after, LONGEST_WAIT)
    return min(first * 2.0 ** (number - 1), LONGEST_WAIT) * (0.5 + jitter() / 2)


def _wait(seconds: float, sleep: Callable[[float], None], stop: Stop) -> None:
    while seconds > 0:
        if stop():
            raise SpeechStopped
        sleep(min(seconds, _TICK))
        seconds -= _TICK
