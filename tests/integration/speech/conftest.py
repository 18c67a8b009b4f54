"""Servers that answer as the providers do, and providers that ask them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from renderkiln.media.speech.elevenlabs import ElevenLabs
from renderkiln.media.speech.openai import OpenAI
from renderkiln.media.speech.settings import SpeechSettings
from speech_servers import KEY, SpeechServer, elevenlabs_server, openai_server


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def openai() -> Iterator[SpeechServer]:
    with openai_server() as server:
        yield server


@pytest.fixture
def elevenlabs() -> Iterator[SpeechServer]:
    with elevenlabs_server() as server:
        yield server


@pytest.fixture
def ask_openai(openai: SpeechServer) -> Iterator[Callable[..., OpenAI]]:
    made = []

    def ask(**settings: Any) -> OpenAI:
        known = {"openai_key": KEY, "openai_base_url": f"{openai.url}/v1", "timeout": 20.0}
        made.append(OpenAI(SpeechSettings(**{**known, **settings})))
        return made[-1]

    yield ask
    for provider in made:
        provider.close()


@pytest.fixture
def ask_elevenlabs(elevenlabs: SpeechServer) -> Iterator[Callable[..., ElevenLabs]]:
    made = []

    def ask(**settings: Any) -> ElevenLabs:
        known = {"elevenlabs_key": KEY, "elevenlabs_base_url": elevenlabs.url, "timeout": 20.0}
        made.append(ElevenLabs(SpeechSettings(**{**known, **settings})))
        return made[-1]

    yield ask
    for provider in made:
        provider.close()
