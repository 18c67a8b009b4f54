"""Inputs, folders and names that are wrong or odd: one clear line, and nothing half-written."""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from renderkiln import Renderkiln, Settings, UsageError, UserError

pytestmark = pytest.mark.integration
DEMO = {"segments": 1, "seconds": 0.2}


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("missing", "cannot be read: no such file or directory"),
        ("folder", "is a folder, not a file"),
        ("pipe", "is a pipe, socket or device, not a file"),
        ("socket", "cannot be read: no such device or address"),
        ("device", "is a pipe, socket or device, not a file"),
        ("loop", "too many levels of symbolic links"),
        ("long", "file name too long"),
        ("below a file", "not a directory"),
        ("nul", "is not the name of a file"),
    ],
)
def test_what_is_no_file_is_refused_in_one_line(kiln: Any, tmp_path: Path, kind: str, words: str) -> None:
    path = _odd(tmp_path, kind)
    started = time.monotonic()
    report = kiln.run("demo_pipeline:Demo", DEMO, path=path)
    assert time.monotonic() - started < 5
    assert (report.state, report.error.code) == ("failed", "INVALID")
    assert words in report.error.message
    assert "\n" not in report.error.message
    assert kiln.names() == ["job.started", "job.failed"]
    assert kiln.logs == []  # what is the user's mistake has no trace to look at


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_forbidden_file_is_refused(kiln: Any, tmp_path: Path) -> None:
    path = tmp_path / "secret.txt"
    path.touch(mode=0)
    assert "permission denied" in kiln.run("demo_pipeline:Demo", DEMO, path=path).error.message


def test_a_file_above_the_limit_is_refused(tmp_path: Path) -> None:
    song = tmp_path / "song.txt"
    song.write_bytes(b"x" * 11)
    with Renderkiln.open(Settings(home=tmp_path / "home", max_file_size=10)) as app:
        report = app.run(app.job("demo_pipeline:Demo", song, DEMO), output=tmp_path / "out")
    assert report.error is not None
    assert "has 11 bytes; the largest file taken has 10" in report.error.message


@pytest.mark.parametrize(
    "name", ["a b.txt", "-rf.txt", "li\nne.txt", 'it\'s "me".txt', "🔥.txt", "a\udcff.txt"]
)
def test_odd_names_are_simply_rendered(kiln: Any, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("odd")
    report = kiln.run("demo_pipeline:Demo", DEMO, path=path)
    assert report.succeeded, report.error
    assert report.artifacts[0].path.stem == path.stem
    assert json.loads(json.dumps(report.to_json()))["artifacts"][0]["path"] == str(report.artifacts[0].path)


def test_a_missing_output_folder_is_made(kiln: Any, tmp_path: Path) -> None:
    report = kiln.run("demo_pipeline:Demo", DEMO, output=tmp_path / "a" / "b")
    assert report.artifacts[0].path.parent == tmp_path / "a" / "b"


@pytest.mark.parametrize("folder", ["note.txt", "note.txt/below", "/proc/nowhere"])
def test_an_output_folder_that_cannot_be_written_fails_before_any_work(kiln: Any, folder: str) -> None:
    report = kiln.run("demo_pipeline:Demo", DEMO, output=kiln.folder / folder)
    assert report.error.code == "INVALID"
    assert "the output folder" in report.error.message
    assert "stage.started" not in kiln.names()


def test_a_wrong_ffmpeg_fails_the_job_and_says_the_mend(tmp_path: Path) -> None:
    song = tmp_path / "song.txt"
    song.touch()
    with Renderkiln.open(Settings(home=tmp_path / "home", ffmpeg=tmp_path / "none")) as app:
        report = app.run(app.job("demo_pipeline:Demo", song, DEMO), output=tmp_path / "out")
    assert report.error is not None
    assert "pip install imageio-ffmpeg" in report.error.message


def test_a_home_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    song = tmp_path / "song.txt"
    song.touch()
    with (
        Renderkiln.open(Settings(home=song / "home")) as app,
        pytest.raises(UserError, match=r"song.txt.*[Nn]ot a directory"),
    ):
        app.run(app.job("demo_pipeline:Demo", song, DEMO), output=tmp_path / "out")


def test_wrong_params_are_bad_usage(app: Renderkiln) -> None:
    with pytest.raises(UsageError, match="segments: Input should be greater than or equal to 1"):
        app.job("demo_pipeline:Demo", Path("x"), {"segments": 0})
    with pytest.raises(UsageError, match="nonsense: unknown field; known are "):
        app.job("demo_pipeline:Demo", Path("x"), {"nonsense": 0})
    with pytest.raises(UsageError, match=r"unknown pipeline 'nonsense'; known are: .*visualizer"):
        app.job("nonsense", Path("x"))
    with pytest.raises(UsageError, match="is no item id"):
        app.job("demo_pipeline:Demo", Path("x"), item_id="../etc")


def test_ids_are_made_of_batch_item_and_format(app: Renderkiln) -> None:
    job = app.job("demo_pipeline:Demo", Path("x"), batch_id="b7", item_id="song-3", format="4k")
    assert job.id == "b7-song-3-4k"


def test_work_folders_are_kept_on_request_and_not_used_again(tmp_path: Path) -> None:
    song = tmp_path / "song.txt"
    song.touch()
    with Renderkiln.open(Settings(home=tmp_path / "home", keep_work=True)) as app:
        reports = [
            app.run(app.job("demo_pipeline:Demo", song, DEMO), output=tmp_path / "out") for _ in range(2)
        ]
    assert [report.reused for report in reports] == [(), ()]
    assert len(list((tmp_path / "home" / "work").iterdir())) == 2


def test_old_leftovers_are_swept_away_and_young_ones_stay(tmp_path: Path) -> None:
    old, young = (tmp_path / "home" / "work" / name for name in ("old", "young"))
    week = time.time() - 8 * 86400
    for folder in (old, young):
        (folder / "files").mkdir(parents=True)
        (folder / "lock").touch()
    for path in (old, *old.iterdir()):
        os.utime(path, (week, week))
    song = tmp_path / "song.txt"
    song.touch()
    with Renderkiln.open(Settings(home=tmp_path / "home")) as app:
        app.run(app.job("demo_pipeline:Demo", song, DEMO), output=tmp_path / "out")
    assert not old.exists()
    assert young.exists()


def _odd(folder: Path, kind: str) -> Path:
    path = folder / "odd"
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "socket":
            with socket.socket(socket.AF_UNIX) as made:
                os.chdir(folder)
                made.bind(path.name)
        case "device":
            return Path("/dev/zero")
        case "loop":
            path.symlink_to(path)
        case "long":
            return folder / ("x" * 300)
        case "below a file":
            path.touch()
            return path / "song"
        case "nul":
            return folder / "a\0b"
    return path
