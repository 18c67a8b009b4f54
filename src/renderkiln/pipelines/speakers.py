"""Finds who speaks: `provider:voice` names a plug-in of `renderkiln.speech` and one of its voices."""

from __future__ import annotations

from typing import NamedTuple

from renderkiln.domain.errors import Permanent, UsageError
from renderkiln.media.errors import MediaError
from renderkiln.media.speech.contract import Provider, split_voice
from renderkiln.media.speech.settings import SpeechSettings
from renderkiln.pipelines import catalog
from renderkiln.pipelines.contract import Services

RECORDING = "file"  # not a provider: the voice is in a file already


class Speaker(NamedTuple):
    """A provider and one of its voices."""

    provider: Provider
    voice: str

    @property
    def reference(self) -> str:
        return f"{self.provider.name}:{self.voice}"


def speaker(reference: str, services: Services) -> Speaker:
    """Who `reference` names. Raises Permanent where it is unknown or not configured."""
    try:
        name, voice = split_voice(reference)
        provider: Provider = catalog.load(catalog.SPEECH, name)(services.speech)
        provider.check(voice)
    except (UsageError, MediaError) as error:
        raise Permanent(str(error)) from error
    return Speaker(provider, voice)


class Known(NamedTuple):
    """A voice that is known without asking anyone. `problem`: why it cannot speak here; empty if it can."""

    reference: str
    language: str  # empty: all
    name: str
    problem: str


def voices(settings: SpeechSettings, provider: str | None = None) -> list[Known]:
    """Those of a provider, or of all that are installed; raises UsageError for a `provider` that is unknown.

    Of one that is broken, one without a voice stands in the list of all, with what is wrong.
    """
    if provider:
        return _voices(settings, provider)
    found = []
    for name in catalog.names(catalog.SPEECH):
        try:
            found += _voices(settings, name)
        except UsageError as error:
            found.append(Known(name, "", "", str(error)))
        except Exception as error:  # noqa: BLE001  a plug-in's own
            found.append(Known(name, "", "", f"{type(error).__name__}: {error}"))
    return found


def _voices(settings: SpeechSettings, name: str) -> list[Known]:
    speaker: Provider = catalog.load(catalog.SPEECH, name)(settings)
    try:
        known = speaker.voices()
        problem = _problem(speaker, known[0].id) if known else ""
        return [Known(f"{name}:{each.id}", each.language, each.name, problem) for each in known]
    finally:
        speaker.close()


def _problem(speaker: Provider, voice: str) -> str:
    try:
        speaker.check(voice)
    except MediaError as error:
        return str(error)
    return ""


def price(reference: str, characters: int, services: Services) -> float:
    """What it costs at most to have so many characters spoken. Raises UsageError for who is unknown."""
    if recording(reference) is not None:
        return 0.0
    try:
        name, _ = split_voice(reference)
    except MediaError as error:
        raise UsageError(str(error)) from error
    provider: Provider = catalog.load(catalog.SPEECH, name)(services.speech)
    try:
        return characters * provider.cost_per_character
    finally:
        provider.close()


def recording(reference: str) -> str | None:
    """The file that `reference` names, if the voice is a recording: `file:PATH` or `file:https://…`."""
    name, _, place = reference.partition(":")
    return place if name == RECORDING else None
