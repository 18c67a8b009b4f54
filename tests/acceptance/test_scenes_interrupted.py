"""Films that are interrupted: by a kill, by a full disk, by a signal."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Command, tune, write_wav
from .test_render import MAY_MOUNT, MOUNTS

Percent = Callable[[subprocess.Popen[str], float], None]

CALL = ("render", "scenes", "film.json", "--quality", "draft", "--out", "out")


def ten(renderkiln: Command, seconds: float = 2.0) -> None:
    """A project whose scenes move all the time, so that drawing them takes a while."""
    write_wav(renderkiln.folder / "music.wav", tune(3.0))
    gradient = {"type": "gradient", "colors": ["#102040", "#c06040"]}
    moving: list[dict[str, Any]] = [
        {
            "type": "text", "text": "On and on", "style": "title",
            "enter": {"type": kind, "duration": seconds, "easing": "linear"},
        }
        for kind in ("zoom", "slide")
    ]  # fmt: skip
    scenes = [
        {"id": f"s{n}", "duration": seconds, "background": gradient, "layers": moving} for n in range(10)
    ]
    document = {"title": "Ten", "resolution": "720p", "fps": 30, "music": "music.wav", "scenes": scenes}
    (renderkiln.folder / "film.json").write_text(json.dumps(document))


def rendered(ended: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert ended.returncode == 0, ended.stderr
    (report,) = json.loads(ended.stdout)
    found: dict[str, Any] = report
    return found


def parts(renderkiln: Command) -> list[Path]:
    """Those that are in the cache."""
    return sorted((renderkiln.home / "cache" / "scenes").glob("*/*.mp4"))


def test_killed_it_draws_only_what_was_not_finished_and_the_film_is_the_same(
    renderkiln: Command, percent: Percent
) -> None:
    ten(renderkiln)
    process = renderkiln.start(*CALL)
    percent(process, 55)
    process.kill()
    process.wait()
    renderkiln.wait_until_gone()
    assert renderkiln.delivered() == []
    finished = {path: path.stat().st_ino for path in parts(renderkiln)}
    assert 0 < len(finished) < 10

    continued = rendered(renderkiln(*CALL, "-o", "json"))
    assert continued["reused"][:3] == ["prepare", "fetch", "sound"]
    assert {path: path.stat().st_ino for path in finished} == finished
    assert continued["result"]["framesDrawn"] <= 60 * (10 - len(finished))

    undisturbed = rendered(renderkiln(*CALL, "-o", "json", "--no-cache"))
    assert undisturbed["result"]["framesDrawn"] == 600
    assert undisturbed["artifacts"][0]["sha256"] == continued["artifacts"][0]["sha256"]


def test_a_stage_that_is_killed_is_tried_again(renderkiln: Command, percent: Percent) -> None:
    ten(renderkiln, 4.0)
    process = renderkiln.start(*CALL, "-o", "json")
    percent(process, 40)
    os.kill(_stage(renderkiln), signal.SIGKILL)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    (report,) = json.loads(out)
    assert report["attempt"] == 2
    assert (report["state"], report["result"]["frames"]) == ("completed", 1200)
    renderkiln.wait_until_gone()


def test_a_signal_ends_it_soon_and_leaves_nothing(renderkiln: Command, percent: Percent) -> None:
    ten(renderkiln)
    process = renderkiln.start(*CALL)
    percent(process, 35)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert time.monotonic() - begun < 5
    assert "Traceback" not in err
    assert renderkiln.delivered() == []
    renderkiln.wait_until_gone()


@pytest.mark.skipif(not MAY_MOUNT, reason="this machine lets nobody mount a small disk of their own")
def test_a_full_disk_ends_the_job_and_gets_its_space_back(renderkiln: Command) -> None:
    ten(renderkiln)
    small = renderkiln.folder / "small"
    small.mkdir()
    script = (
        f"mount -t tmpfs -o size=3m none {small} && "
        'export RENDERKILN_HOME="$0" && "$@"; status=$?; '
        f"ls {small}/out 2>/dev/null; df --output=used -k {small} | tail -1; exit $status"
    )
    line = [sys.executable, "-m", "renderkiln", *CALL[:-1], "small/out", "-q"]
    ended = subprocess.run(
        [*MOUNTS, script, str(small / "home"), *line],
        cwd=renderkiln.folder,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert ended.returncode == 1, ended.stderr
    *before, last = ended.stderr.splitlines()
    assert "No space left on the disk of" in last, ended.stderr
    # The full disk may also keep an event from being written down, and that is said in a line of its own.
    assert all(line.endswith("was not written down: database or disk is full") for line in before), (
        ended.stderr
    )
    assert int(ended.stdout.split()[-1]) < 1500  # kB: what was written is gone, but for parts that are kept
    assert len(ended.stdout.split()) == 1  # and nothing is in the output folder


def _stage(renderkiln: Command) -> int:
    """The process that draws: the parent of an encoder, of which there may be none between two parts."""
    for _ in range(1000):
        for pid in renderkiln.processes():
            if "ffmpeg" in _command(pid):
                with contextlib.suppress(OSError, IndexError, ValueError):
                    return _parent(pid)
        time.sleep(0.01)
    raise AssertionError("nothing is drawn")


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode(errors="replace")
    except OSError:
        return ""


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
