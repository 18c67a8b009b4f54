"""Songs in, films out."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import av
import pytest

from renderkiln.media.probe import probe

from .conftest import SMALL, Command

# A mount namespace of one's own: what is mounted there is gone with the last process in it.
MOUNTS = ["unshare", "-rm", "sh", "-c"]
MAY_MOUNT = (
    shutil.which("unshare") is not None
    and subprocess.run([*MOUNTS, "mount -t tmpfs none /mnt"], check=False).returncode == 0
)

KEYS = {
    "label",
    "id", "batchId", "pipeline", "queue", "state", "stage", "progress", "message", "attempt", "maxAttempts",
    "worker", "priority", "createdAt", "startedAt", "processedAt", "completedAt", "error", "result",
    "artifacts", "metadata", "warnings", "reused", "leftOut", "cost",
}  # fmt: skip


def test_a_song_becomes_a_film(renderkiln: Command) -> None:
    renderkiln.song("My Song.wav", 0.75)
    ended = renderkiln(
        "render", "visualizer", "My Song.wav", *SMALL, "--template", "flame", "--fps", 25,
        "--title", "Ünïcode 夜", "--artist", "Me", "--report", "--out", "out", "-o", "json",
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    (job,) = json.loads(ended.stdout)
    assert set(job) == KEYS
    assert (job["state"], job["progress"], job["error"]) == ("completed", 100.0, None)
    film = job["artifacts"][0]
    assert re.fullmatch(r"\d{8}_my_song_preview_v1\.mp4", film["name"])
    assert hashlib.sha256(Path(film["path"]).read_bytes()).hexdigest() == film["sha256"]
    info = probe(Path(film["path"]))
    assert info.video is not None
    assert (info.video.width, info.video.height, info.video.fps) == (640, 360, "25")
    assert info.video.frames == math.ceil(0.75 * 25)
    assert (info.tags["title"], info.tags["artist"]) == ("Ünïcode 夜", "Me")
    assert [a["kind"] for a in job["artifacts"]] == ["video", "thumbnail", "peaks", "report"]
    assert renderkiln.delivered() == sorted(a["name"] for a in job["artifacts"])
    assert not list((renderkiln.home / "work").iterdir())
    assert "✓ My Song.wav preview → " in ended.stderr
    assert "\x1b" not in ended.stderr


def test_songs_are_rendered_whatever_they_are_called(renderkiln: Command) -> None:
    names = ["two words.wav", "quo'te\".wav", "new\nline.wav", "fire🔥.wav", "-dash.wav"]
    for name in [*names, "\x1b[31mred.wav"]:
        renderkiln.song(name, 0.2)
    ended = renderkiln(
        "render",
        "visualizer",
        *SMALL,
        "--out",
        "new/deep/out",
        "./\x1b[31mred.wav",
        "--",
        *names,
    )
    assert ended.returncode == 0, ended.stderr
    paths = ended.stdout.splitlines()
    assert len(paths) == len(names) + 1
    assert all(Path(path).is_file() for path in paths)
    stems = {re.sub(r"^\d{8}_(.*)_v1\.mp4$", r"\1", Path(path).name) for path in paths}
    assert {
        "two_words_preview",
        "quo_te_preview",
        "new_line_preview",
        "fire_preview",
        "dash_preview",
    } <= stems
    assert "\x1b" not in ended.stderr
    assert "new\\nline.wav" in ended.stderr
    assert "[6/6]" in ended.stderr


def test_every_song_in_every_format(renderkiln: Command) -> None:
    for name in ("a.wav", "b.wav"):
        renderkiln.song(name, 0.2)
    formats = ("--format", "square", "--format", "preview")
    ended = renderkiln(
        "render", "visualizer", "a.wav", "b.wav", *SMALL, *formats, "--out", "out", "-o", "json"
    )
    assert ended.returncode == 0, ended.stderr
    jobs = json.loads(ended.stdout)
    assert len({job["batchId"] for job in jobs}) == 1
    ends = [job["id"].removeprefix(job["batchId"]) for job in jobs]
    assert ends == ["-1-preview", "-1-square", "-2-preview", "-2-square"]


def test_the_same_call_gives_the_same_bytes_under_the_next_name(renderkiln: Command) -> None:
    renderkiln.song()
    call = ("render", "visualizer", "song.wav", *SMALL, "--template", "waveform", "--out", "out")
    assert renderkiln(*call).returncode == 0
    assert renderkiln(*call, "--no-cache").returncode == 0
    first, second = sorted(renderkiln.out.glob("*.mp4"))
    assert first.name.replace("_v1", "_v2") == second.name
    assert first.read_bytes() == second.read_bytes()


def test_results_line_by_line_as_a_table_or_not_at_all(renderkiln: Command) -> None:
    renderkiln.song("a.wav", 0.2)
    renderkiln.song("b.wav", 0.2)
    call = ("render", "visualizer", "a.wav", "missing.wav", "b.wav", *SMALL, "--out", "out", "-q", "-o")
    lines = renderkiln(*call, "jsonl")
    assert [json.loads(line)["state"] for line in lines.stdout.splitlines()] == [
        "completed",
        "failed",
        "completed",
    ]
    assert lines.returncode == 1
    assert len(lines.stderr.splitlines()) == 1  # quiet: only what went wrong
    table = renderkiln(*call, "table").stdout.splitlines()
    assert table[0].split() == ["JOB", "STATE", "SIZE", "LENGTH", "SPEED", "RESULT"]
    assert [line.split()[2] for line in table[1:]] == [
        "completed",
        "failed",
        "completed",
    ]


def test_the_language_of_an_ancient_locale(renderkiln: Command) -> None:
    renderkiln.song("fire🔥é.wav", 0.2)
    ancient = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    ended = renderkiln(
        "render", "visualizer", "fire🔥é.wav", *SMALL, "--out", "out", "-o", "json", env=ancient
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.isascii()
    assert ended.stderr.isascii()
    assert Path(os.fsdecode(json.loads(ended.stdout)[0]["artifacts"][0]["path"])).parent.name == "out"


def test_on_a_terminal_it_shows_bars_and_leaves_a_line(renderkiln: Command) -> None:
    renderkiln.song()
    shown = on_a_terminal(renderkiln, {"TERM": "xterm-256color", "COLUMNS": "120"})
    assert "\x1b[" in shown
    assert "━" in shown
    assert re.search(r"✓.* song\.wav preview → ", shown)


def test_a_terminal_may_want_no_colour(renderkiln: Command) -> None:
    renderkiln.song()
    shown = on_a_terminal(renderkiln, {"NO_COLOR": "1"})
    assert "\x1b" not in shown
    assert "✓ song.wav preview → " in shown


def on_a_terminal(renderkiln: Command, env: dict[str, str]) -> str:
    """What appears on a terminal while it renders a song."""
    import pty

    outer, inner = pty.openpty()
    line = renderkiln._line(("render", "visualizer", "song.wav", *SMALL, "--out", "out"))
    pid = os.fork()
    if pid == 0:
        for number in (0, 1, 2):
            os.dup2(inner, number)
        os.chdir(renderkiln.folder)
        os.execve(line[0], line, renderkiln._env(env))
    os.close(inner)
    shown = b""
    while True:
        try:
            shown += (part := os.read(outer, 65536))
        except OSError:  # the other end is closed
            break
        if not part:
            break
    os.close(outer)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, shown.decode()
    return shown.decode()


@pytest.mark.parametrize("codec", ["hevc", "av1"])
def test_other_codecs(renderkiln: Command, codec: str) -> None:
    renderkiln.song()
    ended = renderkiln("render", "visualizer", "song.wav", *SMALL, "--codec", codec, "--out", "out")
    assert ended.returncode == 0, ended.stderr
    with av.open(ended.stdout.strip()) as film:
        assert film.streams.video[0].codec_context.name.endswith({"hevc": "hevc", "av1": "av1d"}[codec])


def test_four_thousand_columns(renderkiln: Command) -> None:
    renderkiln.song("big.wav", 0.2)
    ended = renderkiln(
        "render", "visualizer", "big.wav", "--format", "4k", "--quality", "draft", "--fps", 24, "--out", "out"
    )
    assert ended.returncode == 0, ended.stderr
    info = probe(Path(ended.stdout.strip()))
    assert info.video is not None
    assert (info.video.width, info.video.height, info.video.frames) == (3840, 2160, 5)


@pytest.mark.skipif(not MAY_MOUNT, reason="this machine lets nobody mount a small disk of their own")
def test_a_full_disk_ends_the_job_and_gets_its_space_back(renderkiln: Command) -> None:
    renderkiln.song("long.wav", 30)
    small = renderkiln.folder / "small"
    small.mkdir()
    render = [sys.executable, "-m", "renderkiln", "render", "visualizer", "long.wav", *SMALL]
    script = (
        f"mount -t tmpfs -o size=2m none {small} && "
        'export RENDERKILN_HOME="$0" && "$@"; status=$?; '
        f"df --output=used -k {small} | tail -1; exit $status"
    )
    ended = subprocess.run(
        [*MOUNTS, script, str(small / "home"), *render, "--out", "small/out"],
        cwd=renderkiln.folder,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert ended.returncode == 1, ended.stderr
    assert "No space left on the disk of" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert int(ended.stdout.split()[-1]) < 450  # kB: what was written is gone, all but the database
