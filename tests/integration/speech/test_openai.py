"""OpenAI's protocol, spoken to a server that knows it."""

from __future__ import annotations

import io
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

import av
import numpy as np
import pytest

from renderkiln.media.errors import MediaError
from renderkiln.media.speech.contract import (
    NotConfigured,
    Refused,
    SpeechStopped,
    Unavailable,
    UnknownVoice,
    Utterance,
)
from renderkiln.media.speech.exam import SpeechExam
from renderkiln.media.speech.openai import OpenAI
from renderkiln.media.speech.settings import SpeechSettings
from speech_servers import (
    KEY,
    Fault,
    SpeechServer,
    cut_off,
    cut_off_chunks,
    endless,
    hangs_up,
    pcm_of,
    samples_of,
    says,
    sends,
    silent,
    stalls,
)

pytestmark = pytest.mark.integration

Ask = Callable[..., OpenAI]
TEXT = "Breathe in slowly."
UTTERANCE = Utterance(TEXT, "alloy")


def never() -> bool:
    return False


def error(code: str | None, message: str = "something", **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "param": None, **more}}


class TestExam(SpeechExam):
    voice = "alloy"
    unknown_voice = "no\nvoice"

    @pytest.fixture(autouse=True)
    def _served(self, ask_openai: Ask) -> None:
        self._ask = ask_openai

    def make_provider(self) -> OpenAI:
        return self._ask()


def test_what_is_sent_and_what_is_heard(openai: SpeechServer, ask_openai: Ask) -> None:
    provider = ask_openai(openai_instructions="Calmly.", openai_cost_per_character=0.5)
    speech = provider.speak(Utterance(TEXT, "coral", speed=1.25, before="Not", after="sent"), stop=never)
    [request] = openai.received
    assert request.path == "/v1/audio/speech"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["accept-encoding"] == "identity"
    assert request.body == {
        "model": "gpt-4o-mini-tts",
        "input": TEXT,
        "voice": "coral",
        "response_format": "pcm",
        "instructions": "Calmly.",
        "speed": 1.25,
    }
    assert speech.rate == 24000
    np.testing.assert_array_equal(speech.samples, np.frombuffer(pcm_of(TEXT), "<i2") / np.float32(32768))
    assert speech.cost == len(TEXT) * 0.5


def test_a_server_of_ones_own_needs_no_key(openai: SpeechServer, ask_openai: Ask) -> None:
    openai.faults.append(sends(pcm_of(TEXT), "audio/pcm"))
    ask_openai(openai_key="").speak(UTTERANCE, stop=never)
    assert "authorization" not in openai.received[0].headers


def test_without_a_key_nothing_is_asked() -> None:
    with pytest.raises(NotConfigured, match=r"^TTS provider not configured: set OPENAI_API_KEY"):
        OpenAI(SpeechSettings()).check("alloy")


@pytest.mark.parametrize("settings", [{"openai_key": "sk-\nx"}, {"openai_base_url": "file:///etc/passwd"}])
def test_settings_that_cannot_be_right(settings: dict[str, str]) -> None:
    with pytest.raises(NotConfigured) as caught:
        OpenAI(SpeechSettings(**{"openai_key": KEY, **settings})).check("alloy")  # type: ignore[arg-type]
    assert "sk-" not in str(caught.value)


def test_connections_are_used_again(openai: SpeechServer, ask_openai: Ask) -> None:
    provider = ask_openai()
    for _ in range(3):
        provider.speak(UTTERANCE, stop=never)
    assert (len(openai.received), openai.connections) == (3, 1)


def test_an_unknown_voice(ask_openai: Ask) -> None:
    with pytest.raises(UnknownVoice, match="'bob'"):
        ask_openai().speak(Utterance(TEXT, "bob"), stop=never)


def test_a_wrong_key_is_refused_and_never_shown(ask_openai: Ask) -> None:
    with pytest.raises(Refused, match="OPENAI_API_KEY") as caught:
        ask_openai(openai_key="sk-test-wrong-wrong").speak(UTTERANCE, stop=never)
    assert "sk-te" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "said", "headers"),
    [
        (400, error("content_policy_violation"), {}),
        (402, error(None), {}),
        (403, error(None), {}),
        (413, {"detail": "too large"}, {}),
        (422, {"error": "no"}, {}),
        (429, error("insufficient_quota"), {}),
        (429, error("rate_limit_exceeded"), {"x_should_retry": "false"}),
        (301, {}, {"location": "http://127.0.0.1:1/"}),
    ],
)
def test_refused(
    openai: SpeechServer, ask_openai: Ask, status: int, said: Any, headers: dict[str, str]
) -> None:
    openai.faults.append(says(status, said, **headers))
    with pytest.raises(Refused):
        ask_openai().speak(UTTERANCE, stop=never)
    assert len(openai.received) == 1


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (429, {}, None),
        (429, {"retry_after": "7"}, 7.0),
        (429, {"retry_after_ms": "1500", "retry_after": "7"}, 1.5),
        (429, {"retry_after": "soon"}, None),
        (429, {"retry_after": "-5"}, 0.0),
        (500, {}, None),
        (503, {"retry_after": "2"}, 2.0),
        (409, {}, None),
        (400, {"x_should_retry": "true"}, None),
    ],
)
def test_not_now(
    openai: SpeechServer, ask_openai: Ask, status: int, headers: dict[str, str], wait: float | None
) -> None:
    openai.faults.append(says(status, error("rate_limit_exceeded"), **headers))
    with pytest.raises(Unavailable, match=str(status)) as caught:
        ask_openai().speak(UTTERANCE, stop=never)
    assert caught.value.retry_after == wait
    assert len(openai.received) == 1  # trying again is for others to decide


def test_retry_after_may_be_a_date(openai: SpeechServer, ask_openai: Ask) -> None:
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 30))
    openai.faults.append(says(503, {}, retry_after=date))
    with pytest.raises(Unavailable) as caught:
        ask_openai().speak(UTTERANCE, stop=never)
    assert caught.value.retry_after == pytest.approx(30, abs=3)


@pytest.mark.parametrize(
    "fault",
    [
        cut_off,
        cut_off_chunks,
        hangs_up,
        sends(b"", "audio/pcm"),
        sends(b"123", "audio/pcm"),
        sends(b"<html>Bad gateway</html>", "text/html"),
        sends(b'{"ok": true}', "application/json"),
        sends(b"RIFF1234WAVEnonsense", "audio/wav"),
        sends(b"ID3" + bytes(500), "audio/mpeg"),
    ],
    ids=["length", "chunks", "hang-up", "empty", "odd", "html", "json", "wav", "mp3"],
)
def test_no_whole_answer(openai: SpeechServer, ask_openai: Ask, fault: Fault) -> None:
    openai.faults.append(fault)
    with pytest.raises(Unavailable):
        ask_openai().speak(UTTERANCE, stop=never)


def test_an_endless_answer_is_cut_off(
    openai: SpeechServer, ask_openai: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("renderkiln.media.speech.server.MAX_BYTES", 4 << 20)
    openai.faults.append(endless)
    with pytest.raises(Unavailable, match="does not end"):
        ask_openai().speak(UTTERANCE, stop=never)


@pytest.mark.parametrize("fault", [silent, stalls])
def test_a_silent_server_is_left(openai: SpeechServer, ask_openai: Ask, fault: Fault) -> None:
    openai.faults.append(fault)
    with pytest.raises(Unavailable, match=r"did not answer within 0\.3 s"):
        ask_openai(timeout=0.3).speak(UTTERANCE, stop=never)


@pytest.mark.parametrize("fault", [silent, stalls])
def test_stopping_does_not_wait_for_the_server(openai: SpeechServer, ask_openai: Ask, fault: Fault) -> None:
    openai.faults.append(fault)
    started = time.monotonic()
    with pytest.raises(SpeechStopped):  # once the server has the request
        ask_openai().speak(UTTERANCE, stop=lambda: bool(openai.received))
    assert time.monotonic() - started < 2


def test_a_proxy_that_is_none(ask_openai: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "nonsense://user:password@proxy")
    with pytest.raises(NotConfigured, match="proxy") as caught:
        ask_openai().speak(UTTERANCE, stop=never)
    assert "password" not in str(caught.value)


def test_nobody_there(ask_openai: Ask) -> None:
    with pytest.raises(Unavailable, match=r"http://127\.0\.0\.1:1/v1 gave no whole answer") as caught:
        ask_openai(openai_base_url="http://user:password@127.0.0.1:1/v1").speak(UTTERANCE, stop=never)
    assert "password" not in str(caught.value)


def wav(samples: bytes, rate: int, size: int | None = None) -> bytes:
    size = len(samples) if size is None else size
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
    return (
        b"RIFF"
        + struct.pack("<I", 0xFFFFFFFF)
        + b"WAVE"
        + form
        + struct.pack("<4sI", b"data", size)
        + samples
    )


def mp3(samples: bytes, rate: int, **options: str) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp3", options=options) as out:
        stream = out.add_stream("mp3", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.frombuffer(samples, "<i2")[None], "s16", "mono")
        frame.sample_rate = rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            out.mux(packet)
    return file.getvalue()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (lambda pcm: wav(pcm, 24000), "audio/wav"),
        (lambda pcm: wav(pcm, 24000, 0xFFFFFFFF), "audio/wav"),
        (lambda pcm: wav(pcm, 24000), "audio/pcm"),
        (lambda pcm: mp3(pcm, 24000), "audio/mpeg"),
        (lambda pcm: mp3(pcm, 24000, id3v2_version="0"), "audio/mpeg"),
        (lambda pcm: pcm, "audio/mpeg"),  # a proxy that always says so
        (lambda pcm: pcm, "application/octet-stream"),
    ],
    ids=[
        "wav",
        "streamed-wav",
        "wav-called-pcm",
        "mp3",
        "mp3-without-tag",
        "pcm-called-mp3",
        "pcm-called-nothing",
    ],
)
def test_files_in_place_of_pcm(
    openai: SpeechServer, ask_openai: Ask, body: Callable[[bytes], bytes], kind: str
) -> None:
    openai.faults.append(sends(body(pcm_of(TEXT)), kind))
    speech = ask_openai().speak(UTTERANCE, stop=never)
    expected = samples_of(TEXT)
    assert speech.seconds == pytest.approx(len(expected) / 24000, abs=0.06)
    assert np.sqrt(np.mean(speech.samples**2)) == pytest.approx(np.sqrt(np.mean(expected**2)), rel=0.1)


def test_a_wav_that_was_cut_off(openai: SpeechServer, ask_openai: Ask) -> None:
    openai.faults.append(sends(wav(pcm_of(TEXT)[:20000], 24000, 60000), "audio/wav"))
    with pytest.raises(Unavailable, match="cut off"):
        ask_openai().speak(UTTERANCE, stop=never)


def test_pcm_of_another_rate(openai: SpeechServer, ask_openai: Ask) -> None:
    openai.faults.append(sends(pcm_of(TEXT), "audio/pcm;rate=16000"))
    assert ask_openai().speak(UTTERANCE, stop=never).rate == 16000


def test_no_key_in_anything_that_is_kept_or_shown(openai: SpeechServer, ask_openai: Ask) -> None:
    openai.faults.append(says(400, error("x", f"you sent {KEY} to us")))
    provider = ask_openai()
    with pytest.raises(MediaError) as caught:
        provider.speak(UTTERANCE, stop=never)
    kept = f"{caught.value} {provider.identity(UTTERANCE)} {SpeechSettings(openai_key=KEY)!r}"
    assert KEY not in kept
    assert "you sent … to us" in kept


def test_threads_share_a_provider(openai: SpeechServer, ask_openai: Ask) -> None:
    provider = ask_openai()
    heard: list[float] = []
    threads = [
        threading.Thread(target=lambda: heard.append(provider.speak(UTTERANCE, stop=never).seconds))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(heard)) == 1
    assert len(openai.received) == 4
