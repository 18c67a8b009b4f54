"""OpenAI's speech API, as it itself and the many compatible servers speak it.

https://platform.openai.com/docs/api-reference/audio/createSpeech
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from renderkiln.media.errors import MediaError
from renderkiln.media.speech.contract import (
    JSON,
    NotConfigured,
    Refused,
    Speech,
    Stop,
    UnknownVoice,
    Utterance,
    Voice,
)
from renderkiln.media.speech.server import Answer, Server, key_header
from renderkiln.media.speech.settings import SpeechSettings
from renderkiln.media.speech.sound import sound

_LIMIT = 4096  # characters, by the API
_RATE = 24000  # of its PCM
_HOST = "https://api.openai.com"
_VOICES = "alloy ash ballad cedar coral echo fable marin nova onyx sage shimmer verse"
_NO_MONEY = ("insufficient_quota", "billing_hard_limit_reached")


class OpenAI:
    """`openai:VOICE`, at OpenAI's own address or one that speaks as it does. Only the former needs a key."""

    name = "openai"
    version = "1"
    stitches = False

    def __init__(self, settings: SpeechSettings) -> None:
        self._settings = settings
        self.limit = min(settings.chunk_size, _LIMIT)
        self.cost_per_character = settings.openai_cost_per_character
        self._server: Server | None = None

    def check(self, voice: str) -> None:
        """Raises NotConfigured, or UnknownVoice for what is no name: only the server knows its voices."""
        self._configured()
        if not re.fullmatch(r"[\w .:/+-]{1,100}", voice):
            raise UnknownVoice(f"openai has no voice {voice[:100]!r}")

    def speak(self, utterance: Utterance, *, stop: Stop) -> Speech:
        """Raises as the contract says. Does not try again."""
        self.check(utterance.voice)
        server = self._configured()
        answer = server.post("audio/speech", self._request(utterance), query={}, stop=stop)
        if answer.status != 200:
            raise self._error(server, answer, utterance)
        rate, samples = sound(answer, self.name, _RATE)
        return Speech(rate, samples, cost=len(utterance.text) * self.cost_per_character)

    def identity(self, utterance: Utterance) -> Mapping[str, JSON]:
        """Provider and version, address, and the request itself."""
        address = self._configured().address
        return {
            "provider": self.name,
            "version": self.version,
            "address": address,
            **self._request(utterance),
        }

    def voices(self) -> Sequence[Voice]:
        """OpenAI's own, of all languages."""
        return [Voice(name, name.capitalize()) for name in _VOICES.split()]

    def close(self) -> None:
        """Close the connections."""
        if self._server is not None:
            self._server.close()

    def _configured(self) -> Server:
        if self._server is None:
            settings = self._settings
            key = key_header("OPENAI_API_KEY", settings.openai_key)
            if not key and settings.openai_base_url.startswith(_HOST):
                raise NotConfigured("set OPENAI_API_KEY, or choose another voice such as espeak:en-us")
            headers = {"authorization": f"Bearer {key}"} if key else {}
            self._server = Server(
                self.name, settings.openai_base_url, headers=headers, secret=key, timeout=settings.timeout
            )
        return self._server

    def _request(self, utterance: Utterance) -> dict[str, JSON]:
        request: dict[str, JSON] = {
            "model": self._settings.openai_model,
            "input": utterance.text,
            "voice": utterance.voice,
            "response_format": "pcm",
        }
        if self._settings.openai_instructions:  # older models and other servers refuse what they do not know
            request["instructions"] = self._settings.openai_instructions
        if utterance.speed != 1.0:
            request["speed"] = utterance.speed
        return request

    def _error(self, server: Server, answer: Answer, utterance: Utterance) -> MediaError:
        code, parameter, told = _told(answer)
        if answer.status in (400, 404, 422) and (parameter == "voice" or code == "voice_not_found"):
            return UnknownVoice(f"openai has no voice {utterance.voice!r}: {server.quoted(told)}")
        if answer.status in (401, 403):
            return server.key_refused(answer, told, "OPENAI_API_KEY")
        if code in _NO_MONEY:  # a 429 that no waiting helps
            return Refused(f"openai refused ({code}): the account has no credit left. {server.quoted(told)}")
        return server.refusal(answer, told, code)


def _told(answer: Answer) -> tuple[str, str, str]:
    """Code, parameter and message of {"error": {…}}; others say {"detail": …} or {"error": "…"}."""
    said = answer.json()
    if not isinstance(said, dict):
        return "", "", ""
    error = said.get("error", said.get("detail", said.get("message", "")))
    if not isinstance(error, dict):
        return "", "", str(error)[:1000]
    return tuple(str(error.get(field) or "")[:1000] for field in ("code", "param", "message"))  # type: ignore[return-value]  # three fields
