"""Small promises of the contract."""

from __future__ import annotations

import pytest

from renderkiln.media.errors import MediaError, Unsuitable
from renderkiln.media.speech import contract
from renderkiln.media.speech.contract import (
    NotConfigured,
    UnknownVoice,
    Utterance,
    split_voice,
)
from renderkiln.media.speech.settings import SpeechSettings


def test_the_tree_of_errors_is_drawn_as_it_is() -> None:
    assert contract.__doc__ is not None
    for name in ("NotConfigured", "UnknownVoice", "Refused", "Unavailable", "SpeechStopped"):
        assert issubclass(getattr(contract, name), MediaError)
        assert f"── {name} " in contract.__doc__


def test_not_configured_begins_as_promised() -> None:
    assert str(NotConfigured("set X")) == "TTS provider not configured: set X"


def test_settings_never_show_a_key() -> None:
    shown = repr(SpeechSettings(openai_key="secret-1", elevenlabs_key="secret-2"))
    assert "secret" not in shown
    assert "gpt-4o-mini-tts" in shown


@pytest.mark.parametrize("speed", [0.0, 0.2, 4.1, -1.0, float("nan"), float("inf")])
def test_impossible_speeds(speed: float) -> None:
    with pytest.raises(Unsuitable, match="speed"):
        Utterance("a", "b", speed)


def test_half_a_character_is_no_text() -> None:
    with pytest.raises(Unsuitable, match="surrogates"):
        Utterance("a\ud800", "b")


@pytest.mark.parametrize(
    ("reference", "parts"),
    [("openai:alloy", ("openai", "alloy")), ("en-us", ("espeak", "en-us")), ("a:b:c", ("a", "b:c"))],
)
def test_voice_references(reference: str, parts: tuple[str, str]) -> None:
    assert split_voice(reference) == parts


@pytest.mark.parametrize("reference", ["", ":", "openai:", ":alloy"])
def test_voice_references_that_name_nothing(reference: str) -> None:
    with pytest.raises(UnknownVoice, match="espeak:en-us"):
        split_voice(reference)
