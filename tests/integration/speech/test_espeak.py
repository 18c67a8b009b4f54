"""eSpeak NG in its own process: real speech, and real crashes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from renderkiln.media.speech.contract import (
    Refused,
    SpeechStopped,
    Unavailable,
    UnknownVoice,
    Utterance,
)
from renderkiln.media.speech.espeak import Espeak
from renderkiln.media.speech.exam import SpeechExam
from renderkiln.media.speech.settings import SpeechSettings

pytestmark = pytest.mark.integration

LONG = "Close your eyes and let your shoulders soften. " * 30


def never() -> bool:
    return False


@pytest.fixture
def espeak() -> Espeak:
    return Espeak(SpeechSettings())


class TestExam(SpeechExam):
    voice = "en-us+f3"
    unknown_voice = "../../../etc/passwd"

    def make_provider(self) -> Espeak:
        return Espeak(SpeechSettings())


def test_the_same_text_is_the_same_sound(espeak: Espeak) -> None:
    once, again = (espeak.speak(Utterance(LONG, "en-us"), stop=never).samples for _ in range(2))
    np.testing.assert_array_equal(once, again)
    assert len(once) > 60 * 22050


def test_words_are_heard_when_they_say(espeak: Espeak) -> None:
    """A comma and a full stop are silence in the sound: no word may be said to last through it."""
    speech = espeak.speak(Utterance("Breathe in — deeply. Dr. Smith, 3.5 and 😀!", "en-us"), stop=never)
    assert [word.text for word in speech.words] == [
        "Breathe", "in —", "deeply.", "Dr.", "Smith,", "3.5", "and", "😀!"
    ]  # fmt: skip
    for word in speech.words:
        sound = speech.samples[round(word.start * speech.rate) : round(word.end * speech.rate)]
        assert np.abs(sound).max() > 0.05, f"{word} is silent"
    assert speech.words[-1].end == pytest.approx(speech.seconds, abs=0.01)


def test_words_of_a_script_without_spaces(espeak: Espeak) -> None:
    speech = espeak.speak(Utterance("你好，世界。今天很好。", "cmn"), stop=never)
    assert "".join(word.text for word in speech.words) == "你好，世界。今天很好。"
    assert len(speech.words) >= 5


def test_markup_and_commands_are_only_text(espeak: Espeak) -> None:
    """Neither SSML nor phonemes nor espeak's own command characters (U+0001) reach it as such."""
    said = espeak.speak(Utterance('a <break time="3s"/> b', "en-us"), stop=never)
    assert len(said.words) > 2, "the tag was spoken, not obeyed"
    assert espeak.speak(Utterance("[[h@'loU]]", "en-us"), stop=never).seconds > 1.0
    fast, plain = (
        espeak.speak(Utterance(f"{mark}Close your eyes, and breathe.", "en-us"), stop=never).seconds
        for mark in ("\x01450S ", "450S ")
    )
    assert fast == pytest.approx(plain, rel=0.1)


def test_hostile_text(espeak: Espeak) -> None:
    text = "ok \x00 \U0010ffff \u202e reversed " + "z\u0301" * 50 + "🏳️‍🌈"
    assert espeak.speak(Utterance(text, "en-us"), stop=never).seconds > 1


def test_speed_and_settings_are_heard(espeak: Espeak) -> None:
    utterance = Utterance("Close your eyes, and breathe.", "en")
    normal = espeak.speak(utterance, stop=never)
    slow = espeak.speak(Utterance(utterance.text, "en", speed=0.5), stop=never)
    high = Espeak(SpeechSettings(espeak_pitch=99)).speak(utterance, stop=never)
    assert slow.seconds > 1.5 * normal.seconds
    assert not np.array_equal(high.samples[:20000], normal.samples[:20000])
    with pytest.raises(Refused, match="40 words a minute"):
        espeak.speak(Utterance(utterance.text, "en", speed=0.25), stop=never)


def test_voices(espeak: Espeak) -> None:
    known = {voice.id: voice for voice in espeak.voices()}
    assert len(known) > 100
    assert known["en-us"].name == "English (America)"
    assert known["de"].language == "de"
    assert "fo" not in known, "its dictionary is missing, and it says nothing"
    for wrong in ("", "en-us+", "en-us+nobody", "+f3", "en us", "xx"):
        with pytest.raises(UnknownVoice, match="espeak has no voice"):
            espeak.check(wrong)


def test_stopping_ends_the_process(espeak: Espeak) -> None:
    asked = threading.Event()

    def stop() -> bool:  # true once its process runs
        if not asked.is_set() and children():
            asked.set()
            return False
        return asked.is_set()

    with pytest.raises(SpeechStopped):
        espeak.speak(Utterance(LONG * 200, "en-us"), stop=stop)
    assert children() == []


def test_a_hanging_process_is_ended() -> None:
    def freeze() -> bool:
        for child in children():
            os.kill(child, signal.SIGSTOP)
        return False

    with pytest.raises(Unavailable, match=r"did not answer within 0\.5 s"):
        Espeak(SpeechSettings(timeout=0.5)).speak(Utterance(LONG, "en-us"), stop=freeze)
    assert children() == []


def test_a_crash_is_only_unavailable(espeak: Espeak) -> None:
    def crash() -> bool:
        for child in children():
            os.kill(child, signal.SIGSEGV)
        return False

    with pytest.raises(Unavailable, match="ended with status -11"):
        espeak.speak(Utterance(LONG, "en-us"), stop=crash)


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG")
def test_it_dies_with_its_parent(tmp_path: Path) -> None:
    """The worker waits for its request here, so only the death of its parent can end it."""
    program = (
        "import os, subprocess, sys\n"
        "worker = subprocess.Popen([sys.executable, '-c', '''\n"
        "import os, time\n"
        "from renderkiln.media.speech.espeak_worker import _die_with\n"
        "_die_with(os.getppid())\n"
        "print(os.getpid(), flush=True)\n"
        "time.sleep(60)\n"
        "'''], stdout=subprocess.PIPE, process_group=0)\n"
        "print(worker.stdout.readline().decode().strip(), flush=True)\n"
        "import time; time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 5
    while is_running(worker):
        assert time.monotonic() < deadline, "the worker outlived its parent"
        time.sleep(0.01)


def children() -> list[int]:
    """Our espeak workers that run."""
    listed = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()
    return [int(pid) for pid in listed if is_running(int(pid)) and is_espeak(int(pid))]


def is_espeak(pid: int) -> bool:
    """Not a server of other tests, for example."""
    try:
        return b"espeak_worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
