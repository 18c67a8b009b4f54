"""Real signals in the middle of a real render."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from .conftest import SMALL, Command

Percent = Callable[[subprocess.Popen[str], float], None]
CALL = ("render", "visualizer", "song.wav", "next.wav", *SMALL, "--out", "out")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_one_signal_stops_cleanly(
    renderkiln: Command, percent: Percent, number: signal.Signals, status: int
) -> None:
    renderkiln.song(seconds=60.0)
    renderkiln.song("next.wav")
    process = renderkiln.start(*CALL, "-o", "json")
    percent(process, 15)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == status, err
    assert "stopping" in err
    assert "Traceback" not in err
    (job,) = json.loads(out)  # the next one was not begun
    assert job["state"] == "cancelled"
    assert renderkiln.delivered() == []
    renderkiln.wait_until_gone()


def test_a_second_signal_stops_at_once(renderkiln: Command, percent: Percent) -> None:
    renderkiln.song(seconds=60.0)
    renderkiln.song("next.wav")
    process = renderkiln.start(*CALL)
    percent(process, 15)
    process.send_signal(signal.SIGSTOP)  # both signals are there when it wakes up
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGCONT)
    started = time.monotonic()
    process.communicate(timeout=30)
    assert process.returncode in (130, 143)
    assert time.monotonic() - started < 5
    assert renderkiln.delivered() == []
    renderkiln.wait_until_gone()


def test_killed_it_continues_and_the_film_is_the_same(renderkiln: Command, percent: Percent) -> None:
    renderkiln.song(seconds=25.0)
    call = ("render", "visualizer", "song.wav", *SMALL, "--fps", 24, "--out", "out")
    process = renderkiln.start(*call)
    percent(process, 55)  # the first of three segments is finished
    process.kill()
    process.wait()
    renderkiln.wait_until_gone()
    assert renderkiln.delivered() == []

    continued = renderkiln(*call, "-o", "json")
    assert continued.returncode == 0, continued.stderr
    (job,) = json.loads(continued.stdout)
    assert "listen" in job["reused"]
    assert job["result"]["framesDrawn"] <= job["result"]["frames"] - 240
    assert "done earlier, used again" in continued.stderr

    undisturbed = renderkiln(*call, "-o", "json")
    (fresh,) = json.loads(undisturbed.stdout)
    assert fresh["reused"] == []
    assert fresh["artifacts"][0]["sha256"] == job["artifacts"][0]["sha256"]
