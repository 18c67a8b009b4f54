"""The commands around rendering."""

from __future__ import annotations

import json
import struct

import pytest

from .conftest import Command


def test_probe_says_what_a_file_is(renderkiln: Command) -> None:
    renderkiln.song("a\x1b[2J.wav", 1.0)
    ended = renderkiln("probe", "a\x1b[2J.wav", "missing.wav", "-o", "json")
    assert ended.returncode == 1
    (facts,) = json.loads(ended.stdout)
    assert facts["streams"][0]["codec"] == "pcm_s16le"
    assert facts["duration"] == pytest.approx(1.0)
    assert "missing.wav" in ended.stderr
    words = renderkiln("probe", "a\x1b[2J.wav")
    assert words.returncode == 0
    assert "\x1b" not in words.stdout
    assert "22050 Hz" in words.stdout


def test_doctor_finds_this_machine_fit(renderkiln: Command) -> None:
    ended = renderkiln("doctor", "-o", "json")
    assert ended.returncode == 0, ended.stdout
    checks = {check["name"]: check for check in json.loads(ended.stdout)}
    for name in ("FFmpeg", "Encoder libx264", "Templates", "Pipelines", "Fonts", "Home", "Output", "Machine"):
        assert name in checks
    assert checks["FFmpeg"]["state"] == "fine"
    assert not (renderkiln.folder / "renderkiln-output").exists()


def test_doctor_names_the_mend(renderkiln: Command) -> None:
    (renderkiln.folder / "a-file").touch()
    broken = {"RENDERKILN_FFMPEG": "/bin/true", "RENDERKILN_OUTPUT_DIR": "a-file/out"}
    ended = renderkiln("doctor", "-o", "json", env=broken)
    assert ended.returncode == 1
    wrong = {check["name"]: check for check in json.loads(ended.stdout) if check["state"] == "broken"}
    assert set(wrong) == {"FFmpeg", "Output"}
    assert all(check["mend"] for check in wrong.values())
    assert "RENDERKILN_OUTPUT_DIR" in wrong["Output"]["mend"]
    words = renderkiln("doctor", env=broken)
    assert words.returncode == 1
    assert "✗ FFmpeg: " in words.stdout


def test_templates_are_listed_with_their_parameters(renderkiln: Command) -> None:
    found = {each["name"]: each for each in json.loads(renderkiln("templates", "list", "-o", "json").stdout)}
    assert {"flame", "particles", "spectrum", "waveform"} <= set(found)
    assert "bars" in found["spectrum"]["params"]
    assert "ember" in renderkiln("templates", "list").stdout


def test_a_preview_is_a_picture_of_the_size_asked_for(renderkiln: Command) -> None:
    ended = renderkiln(
        "templates",
        "preview",
        "waveform",
        "-o",
        "new/p.png",
        "--size",
        "320x180",
        "--palette",
        "ice",
        "--title",
        "T",
    )
    assert ended.returncode == 0, ended.stderr
    picture = (renderkiln.folder / "new/p.png").read_bytes()
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", picture[16:24]) == (320, 180)


def test_config_shows_what_counts(renderkiln: Command) -> None:
    (renderkiln.folder / "renderkiln.toml").write_text("nice = 7\ncores = 1\n")
    shown = json.loads(renderkiln("config", "show", "-o", "json", env={"RENDERKILN_CORES": "3"}).stdout)
    assert (shown["nice"], shown["cores"], shown["home"]) == (7, 3, str(renderkiln.home))
    assert "RENDERKILN_CORES" in renderkiln("config", "show").stdout


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_demo(renderkiln: Command) -> None:
    process = renderkiln.start("demo", "--out", "out")
    out, err = process.communicate()
    assert process.returncode == 0, err
    flat, round_ = out.splitlines()
    assert "first_fire_1080p" in flat
    assert "360stereo" in round_
    assert "real time" in err
