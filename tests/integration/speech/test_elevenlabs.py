"""ElevenLabs' protocol, spoken to a server that knows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from renderkiln.media.speech.contract import (
    NotConfigured,
    Refused,
    Unavailable,
    UnknownVoice,
    Utterance,
)
from renderkiln.media.speech.elevenlabs import ElevenLabs
from renderkiln.media.speech.exam import SpeechExam
from renderkiln.media.speech.settings import SpeechSettings
from speech_servers import (
    ELEVENLABS_VOICE,
    KEY,
    Fault,
    SpeechServer,
    cut_off,
    elevenlabs_error,
    pcm_of,
    says,
    sends,
)

pytestmark = pytest.mark.integration

Ask = Callable[..., ElevenLabs]
TEXT = "Breathe in slowly."
UTTERANCE = Utterance(TEXT, ELEVENLABS_VOICE)


def never() -> bool:
    return False


class TestExam(SpeechExam):
    voice = ELEVENLABS_VOICE
    unknown_voice = "../../v1/user"

    @pytest.fixture(autouse=True)
    def _served(self, ask_elevenlabs: Ask) -> None:
        self._ask = ask_elevenlabs

    def make_provider(self) -> ElevenLabs:
        return self._ask()


def test_what_is_sent_and_what_is_heard(elevenlabs: SpeechServer, ask_elevenlabs: Ask) -> None:
    provider = ask_elevenlabs(elevenlabs_cost_per_character=0.25)
    utterance = Utterance(TEXT, ELEVENLABS_VOICE, 1.1, "de-AT", before="Sit down.", after="And out.")
    speech = provider.speak(utterance, stop=never)
    [request] = elevenlabs.received
    assert request.path == f"/v1/text-to-speech/{ELEVENLABS_VOICE}"
    assert request.query == {"output_format": "pcm_24000"}
    assert request.headers["xi-api-key"] == KEY
    assert request.body == {
        "text": TEXT,
        "model_id": "eleven_multilingual_v2",
        "seed": 0,
        "voice_settings": {"speed": 1.1},
        "previous_text": "Sit down.",
        "next_text": "And out.",
    }
    np.testing.assert_array_equal(speech.samples, np.frombuffer(pcm_of(TEXT), "<i2") / np.float32(32768))
    assert speech.cost == len(TEXT) * 0.25


def test_models_differ_in_what_they_take(elevenlabs: SpeechServer, ask_elevenlabs: Ask) -> None:
    v3, flash = (ask_elevenlabs(elevenlabs_model=model) for model in ("eleven_v3", "eleven_flash_v2_5"))
    utterance = Utterance(TEXT, ELEVENLABS_VOICE, language="de-AT", before="Sit down.")
    v3.speak(utterance, stop=never)
    flash.speak(utterance, stop=never)
    assert (v3.limit, v3.stitches, flash.limit, flash.stitches) == (3000, False, 4500, True)
    assert [request.body.get("previous_text") for request in elevenlabs.received] == [None, "Sit down."]
    assert [request.body.get("language_code") for request in elevenlabs.received] == ["de", "de"]


def test_without_a_key_nothing_is_asked() -> None:
    with pytest.raises(NotConfigured, match=r"^TTS provider not configured: set ELEVENLABS_API_KEY"):
        ElevenLabs(SpeechSettings()).check(ELEVENLABS_VOICE)


def test_an_unknown_voice(ask_elevenlabs: Ask) -> None:
    with pytest.raises(UnknownVoice, match="'nobody'"):
        ask_elevenlabs().speak(Utterance(TEXT, "nobody"), stop=never)


def test_a_wrong_key_is_refused(ask_elevenlabs: Ask) -> None:
    with pytest.raises(Refused, match="ELEVENLABS_API_KEY"):
        ask_elevenlabs(elevenlabs_key="wrong").speak(UTTERANCE, stop=never)


def test_the_key_is_blotted_out_of_what_the_server_says(
    elevenlabs: SpeechServer, ask_elevenlabs: Ask
) -> None:
    elevenlabs.faults.append(says(400, elevenlabs_error("odd", "your key 0a1b2c3d is odd")))
    with pytest.raises(Refused, match="your key … is odd"):
        ask_elevenlabs(elevenlabs_key="0a1b2c3d").speak(UTTERANCE, stop=never)


def test_a_speed_it_cannot_speak_at_is_never_sent(elevenlabs: SpeechServer, ask_elevenlabs: Ask) -> None:
    with pytest.raises(Refused, match=r"speed of 2: 0\.7 to 1\.2"):
        ask_elevenlabs().speak(Utterance(TEXT, ELEVENLABS_VOICE, 2.0), stop=never)
    assert elevenlabs.received == []


@pytest.mark.parametrize(
    ("status", "said", "message"),
    [
        (401, elevenlabs_error("quota_exceeded", "0 credits remaining"), "no characters left"),
        (400, elevenlabs_error("max_character_limit_exceeded", "too many"), "too many"),
        (402, elevenlabs_error("payment_required", "pay"), "payment_required: pay"),
        (413, {"detail": "too large"}, "too large"),
        (422, {"detail": [{"loc": ["body"], "msg": "Field required"}]}, "Field required"),
        (404, {"detail": {"status": "model_not_found"}}, "model_not_found"),
    ],
)
def test_refused(elevenlabs: SpeechServer, ask_elevenlabs: Ask, status: int, said: Any, message: str) -> None:
    elevenlabs.faults.append(says(status, said))
    with pytest.raises(Refused, match=message):
        ask_elevenlabs().speak(UTTERANCE, stop=never)


@pytest.mark.parametrize(
    ("fault", "message", "wait"),
    [
        (
            says(429, elevenlabs_error("too_many_concurrent_requests", "…"), retry_after="3"),
            "let fewer jobs speak",
            3.0,
        ),
        (says(429, elevenlabs_error("system_busy", "high traffic")), "system_busy: high traffic", None),
        (says(500, {}), "500", None),
        (cut_off, "no whole answer", None),
        (sends(b"[" * 50_000, "application/json", 502), "502", None),
        (sends(b"", "audio/pcm"), "nothing", None),
    ],
    ids=["concurrent", "busy", "500", "cut", "nested", "empty"],
)
def test_not_now(
    elevenlabs: SpeechServer, ask_elevenlabs: Ask, fault: Fault, message: str, wait: float | None
) -> None:
    elevenlabs.faults.append(fault)
    with pytest.raises(Unavailable, match=message) as caught:
        ask_elevenlabs().speak(UTTERANCE, stop=never)
    assert caught.value.retry_after == wait
    assert len(elevenlabs.received) == 1
