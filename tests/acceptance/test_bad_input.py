"""What cannot be rendered is refused in one line, and spoils nothing else."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import numpy as np

from renderkiln.media.ffmpeg.binary import find

from .conftest import RATE, SMALL, Command, tune, write_wav


def ffmpeg(*arguments: object) -> None:
    subprocess.run(
        [find(), "-hide_banner", "-v", "error", "-y", *map(str, arguments)], check=True, timeout=60
    )


def test_bad_files_are_refused_and_the_good_one_is_rendered(renderkiln: Command) -> None:
    here = renderkiln.folder
    good = renderkiln.song("good.wav", 0.2)
    (here / "empty.mp3").touch()
    (here / "text.mp3").write_text("Dear diary, this is no music at all.\n" * 50)
    write_wav(here / "blink.wav", tune(0.05))
    ffmpeg("-f", "lavfi", "-i", "testsrc=duration=1:size=64x64", "-an", here / "silent-film.mp4")
    (here / "list.m3u8").write_text(f"#EXTM3U\n#EXTINF:1,\n{good}\n")
    (here / "list.ffconcat").write_text(f"ffconcat version 1.0\nfile '{good}'\n")
    (here / "list.mp3").write_text(f"#EXTM3U\n#EXTINF:1,\n{good}\n")
    (here / "folder.mp3").mkdir()
    os.mkfifo(here / "pipe.wav")
    bad = {
        "empty.mp3": "zero bytes|empty",
        "text.mp3": "text",
        "blink.wav": "0.05",
        "silent-film.mp4": "no audio|no sound",
        "list.m3u8": "playlist",
        "list.ffconcat": "playlist",
        "list.mp3": "playlist",
        "folder.mp3": "folder|directory",
        "pipe.wav": "pipe|regular file",
        "missing.wav": "No such file|does not exist|no such file",
    }
    ended = renderkiln("render", "visualizer", *bad, "good.wav", *SMALL, "--out", "out", "-o", "json")
    assert ended.returncode == 1
    *failed, rendered = json.loads(ended.stdout)
    assert rendered["state"] == "completed", rendered["error"]
    assert [name.split("_")[1] for name in renderkiln.delivered()] == ["good"] * 3
    for (name, words), job in zip(bad.items(), failed, strict=True):
        assert job["state"] == "failed", name
        message = job["error"]["message"]
        assert name in message
        assert any(word in message for word in words.split("|")), message
        assert "\n" not in message
        assert ended.stderr.count(f"✗ {name} preview: ") == 1
    assert "Traceback" not in ended.stderr
    assert not list((renderkiln.home / "work").iterdir())


def test_no_permission(renderkiln: Command) -> None:
    renderkiln.song().chmod(0)
    renderkiln.song("good.wav")
    ended = renderkiln("render", "visualizer", "song.wav", "good.wav", *SMALL, "--out", "out", humble=True)
    assert ended.returncode == 1
    assert re.search(r"✗ song.wav preview: .*/song.wav cannot be read: permission denied", ended.stderr)
    assert "✓ good.wav preview" in ended.stderr


def test_a_read_only_output_folder(renderkiln: Command) -> None:
    renderkiln.song()
    renderkiln.out.mkdir(mode=0o555)
    ended = renderkiln("render", "visualizer", "song.wav", *SMALL, "--out", "out", humble=True)
    assert ended.returncode == 1
    assert "out cannot be written to: permission denied" in ended.stderr
    assert renderkiln.delivered() == []


def test_longer_than_the_limit(renderkiln: Command) -> None:
    renderkiln.song(seconds=3.0)
    ended = renderkiln(
        "render", "visualizer", "song.wav", *SMALL, "--out", "out", env={"RENDERKILN_MAX_DURATION": "2"}
    )
    assert ended.returncode == 1
    assert "✗ song.wav preview: " in ended.stderr
    assert renderkiln.delivered() == []


def test_an_output_folder_that_cannot_be_written_to(renderkiln: Command) -> None:
    renderkiln.song()
    for out in ("song.wav/out", "/proc/out"):
        ended = renderkiln("render", "visualizer", "song.wav", *SMALL, "--out", out)
        assert ended.returncode == 1
        assert f"the output folder {out.removeprefix('/')}" in ended.stderr.replace(
            f"{renderkiln.folder}/", ""
        ).replace("folder /", "folder ")


def test_damaged_sound_is_rendered_with_a_warning_in_words(renderkiln: Command) -> None:
    here = renderkiln.folder
    whole = write_wav(here / "whole.wav", tune(2.0))
    ffmpeg("-i", whole, here / "whole.mp3")
    encoded = (here / "whole.mp3").read_bytes()
    (here / "truncated.mp3").write_bytes(encoded[: len(encoded) // 2])
    write_wav(here / "silent.wav", np.zeros(RATE // 2, np.float32))
    broken = tune(0.5)
    broken[1000:1100] = np.nan
    broken[2000:2010] = np.inf
    (here / "raw").write_bytes(broken.astype("<f4").tobytes())
    ffmpeg("-f", "f32le", "-ar", RATE, "-ac", 1, "-i", here / "raw", "-c:a", "pcm_f32le", here / "nan.wav")
    write_wav(here / "clipping.wav", np.clip(tune(0.5) * 8, -1, 1))
    names = {
        "truncated.mp3": "truncated",
        "silent.wav": "silent",
        "nan.wav": "not-a-number",
        "clipping.wav": "clipping",
    }
    ended = renderkiln("render", "visualizer", *names, *SMALL, "--out", "out", "-o", "json")
    assert ended.returncode == 0, ended.stderr
    for (name, code), job in zip(names.items(), json.loads(ended.stdout), strict=True):
        warnings = {warning["code"]: warning["message"] for warning in job["warnings"]}
        assert code in warnings, (name, warnings)
        assert f"  ! {warnings[code]}" in ended.stderr


def test_a_home_that_is_a_file(renderkiln: Command) -> None:
    renderkiln.song()
    Path(renderkiln.home).write_text("a file where the home should be")
    ended = renderkiln("render", "visualizer", "song.wav", *SMALL, "--out", "out")
    assert ended.returncode == 2  # a setting is wrong
    assert "Traceback" not in ended.stderr
    assert (
        len([line for line in ended.stderr.splitlines() if "✗" in line or line.startswith("renderkiln:")])
        == 1
    )
