"""ElevenLabs' speech API. https://elevenlabs.io/docs/api-reference/text-to-speech/convert"""

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

SLOWEST, FASTEST = 0.7, 1.2
_RATE = 24000  # the highest PCM rate that every plan has
_LIMITS = {"eleven_v3": 3000, "eleven_multilingual_v2": 10_000}  # characters
_SMALLEST_LIMIT = 5000  # of the other models
_VOICES = {
    "21m00Tcm4TlvDq8ikWAM": "Rachel",
    "EXAVITQu4vr4xnSDxMaL": "Sarah",
    "JBFqnCBsd6RMkjVDRZzb": "George",
    "pNInz6obpgDQGcFmaJgB": "Adam",
}


class ElevenLabs:
    """`elevenlabs:VOICE_ID`."""

    name = "elevenlabs"
    version = "1"

    def __init__(self, settings: SpeechSettings) -> None:
        self._settings = settings
        self.limit = min(settings.chunk_size, _LIMITS.get(settings.elevenlabs_model, _SMALLEST_LIMIT))
        self.stitches = not settings.elevenlabs_model.startswith("eleven_v3")
        self.cost_per_character = settings.elevenlabs_cost_per_character
        self._server: Server | None = None

    def check(self, voice: str) -> None:
        """Raises NotConfigured, or UnknownVoice for what cannot be the id of one."""
        self._configured()
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", voice):
            raise UnknownVoice(
                f"elevenlabs has no voice {voice[:100]!r}: "
                f"write its id, such as elevenlabs:{next(iter(_VOICES))}"
            )

    def speak(self, utterance: Utterance, *, stop: Stop) -> Speech:
        """Raises as the contract says; Refused for a speed outside 0.7 to 1.2. Does not try again."""
        self.check(utterance.voice)
        server = self._configured()
        answer = server.post(
            f"v1/text-to-speech/{utterance.voice}",
            self._request(utterance),
            query={"output_format": f"pcm_{_RATE}"},
            stop=stop,
        )
        if answer.status != 200:
            raise _error(server, answer, utterance)
        rate, samples = sound(answer, self.name, _RATE)
        return Speech(rate, samples, cost=len(utterance.text) * self.cost_per_character)

    def identity(self, utterance: Utterance) -> Mapping[str, JSON]:
        """Provider and version, address, voice, and the request itself with the neighbouring text."""
        return {
            "provider": self.name,
            "version": self.version,
            "address": self._configured().address,
            "voice": utterance.voice,
            **self._request(utterance),
        }

    def voices(self) -> Sequence[Voice]:
        """A few that every account has, of all languages."""
        return [Voice(id, name) for id, name in _VOICES.items()]

    def close(self) -> None:
        """Close the connections."""
        if self._server is not None:
            self._server.close()

    def _configured(self) -> Server:
        if self._server is None:
            settings = self._settings
            key = key_header("ELEVENLABS_API_KEY", settings.elevenlabs_key)
            if not key:
                raise NotConfigured("set ELEVENLABS_API_KEY, or choose another voice such as espeak:en-us")
            self._server = Server(
                self.name,
                settings.elevenlabs_base_url,
                headers={"xi-api-key": key},
                secret=key,
                timeout=settings.timeout,
            )
        return self._server

    def _request(self, utterance: Utterance) -> dict[str, JSON]:
        settings = self._settings
        request: dict[str, JSON] = {
            "text": utterance.text,
            "model_id": settings.elevenlabs_model,
            "seed": settings.elevenlabs_seed,
        }
        if utterance.speed != 1.0:
            if not SLOWEST <= utterance.speed <= FASTEST:
                raise Refused(
                    f"elevenlabs cannot speak at a speed of {utterance.speed:g}: "
                    f"{SLOWEST:g} to {FASTEST:g} is possible"
                )
            request["voice_settings"] = {"speed": utterance.speed}
        if self.stitches and utterance.before:
            request["previous_text"] = utterance.before
        if self.stitches and utterance.after:
            request["next_text"] = utterance.after
        if utterance.language and settings.elevenlabs_model.endswith(("_v2_5", "_v3")):  # others refuse it
            request["language_code"] = utterance.language.partition("-")[0].lower()
        return request


def _error(server: Server, answer: Answer, utterance: Utterance) -> MediaError:
    status, told = _told(answer)
    if status == "voice_not_found" or (answer.status == 404 and not status):
        return UnknownVoice(f"elevenlabs has no voice {utterance.voice!r}")
    if status == "quota_exceeded":  # a 401, though the key is right
        return Refused(f"elevenlabs refused: the plan has no characters left. {server.quoted(told)}")
    if answer.status in (401, 403):
        return server.key_refused(answer, told, "ELEVENLABS_API_KEY")
    if status == "too_many_concurrent_requests":
        told = "more requests at once than the plan allows; let fewer jobs speak at the same time"
    return server.refusal(answer, told, status)


def _told(answer: Answer) -> tuple[str, str]:
    """Status and message of {"detail": {…}}; a 422 lists what it does not like, each with a msg."""
    said = answer.json()
    detail = said.get("detail", "") if isinstance(said, dict) else ""
    if isinstance(detail, list):
        return "", "; ".join(str(each.get("msg", "")) for each in detail if isinstance(each, dict))[:1000]
    if isinstance(detail, dict):
        status = detail.get("status") or detail.get("code") or ""
        return str(status)[:100], str(detail.get("message") or "")[:1000]
    return "", str(detail)[:1000]
