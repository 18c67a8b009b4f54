"""Speaking: what is asked, how often, how long is waited, and what is never paid twice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from renderkiln.media.errors import MediaError, Unsuitable
from renderkiln.media.speech.cache import SpeechCache
from renderkiln.media.speech.contract import Refused, SpeechStopped, Unavailable, UnknownVoice, Utterance
from renderkiln.media.speech.openai import OpenAI
from renderkiln.media.speech.speaking import Spoken, speak
from speech_servers import KEY, SpeechServer, cut_off, pcm_of, samples_of, says, sends

pytestmark = pytest.mark.integration

TEXT = "Breathe in slowly."
UTTERANCE = Utterance(TEXT, "alloy")


class Room:
    """A provider, a cache and a clock that notes how long was waited."""

    def __init__(self, provider: OpenAI, folder: Path) -> None:
        self.provider = provider
        self.cache = SpeechCache(folder)
        self.waited = 0.0
        self.heard: list[tuple[int, MediaError | None]] = []

    def speak(
        self, utterance: Utterance = UTTERANCE, *, jitter: float = 1.0, stop_after: float = 1e9
    ) -> Spoken:
        self.waited = 0.0
        return speak(
            utterance,
            self.provider,
            self.cache,
            stop=lambda: self.waited > stop_after,
            sleep=self._sleep,
            jitter=lambda: jitter,
            on_try=lambda number, error: self.heard.append((number, error)),
        )

    def _sleep(self, seconds: float) -> None:
        self.waited += seconds


@pytest.fixture
def room(ask_openai: Callable[..., OpenAI], tmp_path: Path) -> Room:
    return Room(ask_openai(openai_cost_per_character=0.5), tmp_path)


def test_spoken_once_and_kept(openai: SpeechServer, room: Room) -> None:
    first, again = room.speak(), room.speak()
    assert (first.cached, first.tries, first.cost) == (False, 1, len(TEXT) * 0.5)
    assert (again.cached, again.tries, again.cost) == (True, 0, 0.0)
    assert len(openai.received) == 1
    np.testing.assert_array_equal(first.speech.samples, again.speech.samples)
    assert first.speech.rate == 48000
    assert first.speech.seconds == pytest.approx(len(samples_of(TEXT)) / 24000, abs=0.1)
    assert room.heard == [(1, None)]


def test_another_speed_is_another_speech(openai: SpeechServer, room: Room) -> None:
    room.speak()
    room.speak(Utterance(TEXT, "alloy", speed=1.1))
    room.speak(Utterance(TEXT, "coral"))
    room.speak(Utterance(TEXT, "alloy", before="It does not stitch."))
    assert len(openai.received) == 3


@pytest.mark.parametrize(("jitter", "waited"), [(1.0, 3.0), (0.0, 1.5)])
def test_busy_twice_and_then_well(openai: SpeechServer, room: Room, jitter: float, waited: float) -> None:
    openai.faults.extend([says(500, {}), cut_off])
    spoken = room.speak(jitter=jitter)
    assert spoken.tries == 3
    assert room.waited == pytest.approx(waited)  # 1 + 2 seconds, or half of them
    assert [number for number, _ in room.heard] == [1, 2, 3]
    assert [type(error) for _, error in room.heard] == [Unavailable, Unavailable, type(None)]


def test_the_server_says_how_long_to_wait(openai: SpeechServer, room: Room) -> None:
    openai.faults.extend([says(429, {}, retry_after="7"), says(429, {}, retry_after_ms="200")])
    assert room.speak().tries == 3
    assert room.waited == pytest.approx(7.2)


def test_but_not_for_ever(openai: SpeechServer, room: Room) -> None:
    openai.faults.append(says(429, {}, retry_after="86400"))
    room.speak()
    assert room.waited == pytest.approx(60)


def test_three_tries_and_no_more(openai: SpeechServer, room: Room) -> None:
    openai.faults.extend([says(503, {})] * 5)
    with pytest.raises(Unavailable, match="503"):
        room.speak()
    assert len(openai.received) == 3
    assert room.waited == pytest.approx(3)


@pytest.mark.parametrize(("status", "error"), [(401, Refused), (402, Refused), (422, Refused)])
def test_a_refusal_is_final(openai: SpeechServer, room: Room, status: int, error: type[MediaError]) -> None:
    openai.faults.append(says(status, {}))
    with pytest.raises(error):
        room.speak()
    assert len(openai.received) == 1
    assert room.waited == 0


def test_an_unknown_voice_is_final(openai: SpeechServer, room: Room) -> None:
    with pytest.raises(UnknownVoice):
        room.speak(Utterance(TEXT, "bob"))
    assert len(openai.received) == 1


def test_silence_is_no_speech_and_is_not_kept(openai: SpeechServer, room: Room) -> None:
    openai.faults.append(sends(bytes(48000), "audio/pcm"))
    assert room.speak().tries == 2
    assert room.speak().cached


def test_stopping_while_it_waits(openai: SpeechServer, room: Room) -> None:
    openai.faults.append(says(429, {}, retry_after="50"))
    with pytest.raises(SpeechStopped):
        room.speak(stop_after=1.0)
    assert room.waited == pytest.approx(1.0, abs=0.15)
    assert len(openai.received) == 1


def test_text_over_the_limit_is_never_sent(openai: SpeechServer, room: Room) -> None:
    with pytest.raises(Unsuitable, match="at most 4096 characters"):
        room.speak(Utterance("a" * 4097, "alloy"))
    assert openai.received == []


def test_what_is_kept_knows_no_key(room: Room, tmp_path: Path) -> None:
    room.speak()
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert kept
    assert all(KEY.encode() not in path.read_bytes() and KEY not in str(path) for path in kept)


def test_two_processes_at_once_pay_once(openai: SpeechServer, tmp_path: Path) -> None:
    """The server answers only when both processes run, and the second must find what the first paid for."""
    openai.faults.append(sends(pcm_of(TEXT), "audio/pcm"))
    program = f"""
import sys
from pathlib import Path
from renderkiln.media.speech.cache import SpeechCache
from renderkiln.media.speech.contract import (
    Utterance,
)
from renderkiln.media.speech.settings import SpeechSettings
from renderkiln.media.speech.openai import OpenAI
from renderkiln.media.speech.speaking import speak
provider = OpenAI(SpeechSettings(openai_key={KEY!r}, openai_base_url="{openai.url}/v1"))
print("ready", flush=True)
sys.stdin.readline()
cache = SpeechCache(Path({str(tmp_path)!r}))
spoken = speak(Utterance({TEXT!r}, "alloy"), provider, cache, stop=lambda: False)
print(spoken.cached, len(spoken.speech.samples), flush=True)
provider.close()
"""
    command = [sys.executable, "-c", program]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60)[0].split() for process in running]
    assert sorted(cached for cached, _ in said) == ["False", "True"]
    assert len({samples for _, samples in said}) == 1
    assert len(openai.received) == 1
