"""Wrong usage: exit status 2, one line that says what is right, nothing done."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from renderkiln import __version__

from .conftest import Command

RENDER = ("render", "visualizer")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("rendr",), ["rendr"]),
        (("render", "nothing"), ["nothing"]),
        (RENDER, ["SONG", "renderkiln render visualizer --help"]),
        ((*RENDER, "song.wav", "--colour", "red"), ["--colour"]),
        ((*RENDER, "song.wav", "--format", "8k"), ["8k", "1080p", "4k", "360stereo"]),
        ((*RENDER, "song.wav", "--fps", "29"), ["29", "24", "60"]),
        ((*RENDER, "song.wav", "--template", "sea"), ["sea", "flame", "particles", "spectrum", "waveform"]),
        ((*RENDER, "song.wav", "--palette", "mud"), ["mud", "ember", "ice"]),
        ((*RENDER, "song.wav", "--intensity", "9"), ["intensity", "2"]),
        ((*RENDER, "song.wav", "--seed", "-1"), ["seed", "0"]),
        ((*RENDER, "song.wav", "--cover", "missing.png"), ["missing.png", "cover"]),
        ((*RENDER, "song.wav", "--set", "bars=3"), ["bars", "flame"]),
        ((*RENDER, "song.wav", "--template", "spectrum", "--set", "bars=3"), ["bars", "16"]),
        ((*RENDER, "song.wav", "--set", "bars"), ["KEY=VALUE"]),
        (("probe",), ["FILE"]),
        (("templates", "preview", "sea", "-o", "x.png"), ["sea", "flame"]),
        (("templates", "preview", "flame", "-o", "x.gif"), [".png"]),
        (("templates", "preview", "flame", "-o", "x.png", "--size", "100"), ["100"]),
        (("templates", "preview", "flame", "-o", "x.png", "--size", "99x99"), ["multiples of 4"]),
        (("templates", "preview", "flame"), ["-o"]),
    ],
)
def test_wrong_usage(renderkiln: Command, arguments: tuple[str, ...], words: list[str]) -> None:
    renderkiln.song(seconds=0.2)
    ended = renderkiln(*arguments)
    assert ended.returncode == 2
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith("renderkiln: ")
    assert all(word in line for word in words), line
    assert [path.name for path in renderkiln.folder.iterdir()] == ["song.wav"]


def test_a_wrong_setting_names_its_origin(renderkiln: Command) -> None:
    ended = renderkiln("config", "show", env={"RENDERKILN_CORES": "many"})
    assert ended.returncode == 2
    assert "RENDERKILN_CORES" in ended.stderr
    (renderkiln.folder / "renderkiln.toml").write_text("coers = 2\n")
    ended = renderkiln("config", "show")
    assert ended.returncode == 2
    assert "coers" in ended.stderr


def test_version_and_help(renderkiln: Command) -> None:
    assert renderkiln("--version").stdout == f"renderkiln {__version__}\n"
    for arguments in ((), ("render",), RENDER, ("probe",), ("doctor",), ("demo",), ("templates", "preview")):
        ended = renderkiln(*arguments, "--help")
        assert ended.returncode == 0
        assert ended.stdout.startswith(" ".join(("Usage: renderkiln", *arguments)))


def test_help_comes_at_once() -> None:
    heavy = "numpy numba av pydantic rich skia renderkiln.app renderkiln.settings"
    code = (
        "import sys, renderkiln.cli.app as app; assert app.run(['--help']) == 0; "
        f"loaded = set({heavy.split()!r}) & set(sys.modules); assert not loaded, loaded"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.3


def test_a_reader_who_leaves_is_no_error(renderkiln: Command) -> None:
    process = renderkiln.start("config", "show")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    assert process.wait() == 1
    assert said == ""
