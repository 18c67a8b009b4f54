from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from renderkiln.media.errors import MediaError
from renderkiln.media.ffmpeg.binary import build, find
from renderkiln.media.ffmpeg.encoders import working

pytestmark = pytest.mark.integration


def test_the_setting_wins(tmp_path: Path) -> None:
    mine = tmp_path / "my ffmpeg"
    mine.write_text("#!/bin/sh\n")
    mine.chmod(0o755)
    assert find(mine) == mine


@pytest.mark.parametrize("kind", ["missing", "directory", "not executable"])
def test_a_wrong_setting_is_not_passed_over(kind: str, tmp_path: Path) -> None:
    setting = {"missing": tmp_path / "x", "directory": tmp_path, "not executable": tmp_path / "y"}[kind]
    (tmp_path / "y").touch()
    with pytest.raises(MediaError, match="pip install imageio-ffmpeg"):
        find(setting)


def test_then_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert "imageio_ffmpeg" in str(find())


def test_then_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MediaError, match="no FFmpeg was found"):
        find()
    (tmp_path / "ffmpeg").touch(0o755)
    assert find() == tmp_path / "ffmpeg"


def test_the_build_is_short_and_stable(ffmpeg: Path) -> None:
    assert build(ffmpeg) == build(ffmpeg)
    assert len(build(ffmpeg)) < 60
    assert "/" not in build(ffmpeg)


def test_what_is_no_ffmpeg(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="does not answer as FFmpeg does"):
        build(tmp_path / "missing")
    liar = tmp_path / "liar"
    liar.write_text("#!/bin/sh\necho hello\n")
    liar.chmod(0o755)
    with pytest.raises(MediaError, match="does not answer as FFmpeg does"):
        build(liar)


def test_encoders_are_tried_and_remembered(ffmpeg: Path, tmp_path: Path) -> None:
    cache = tmp_path / "a" / "cache"
    found = working(ffmpeg, cache)
    for name in ("libx264", "libx265", "libsvtav1"):
        assert found[name].works
    for encoder in found.values():
        assert encoder.works == (encoder.why_not == "")
        assert encoder.why_not.isprintable()
    (stored,) = cache.iterdir()
    values = json.loads(stored.read_text())
    values["libx264"]["why_not"] = "from the cache"
    stored.write_text(json.dumps(values))
    assert working(ffmpeg, cache)["libx264"].why_not == "from the cache"
    stored.write_text("{broken")
    assert working(ffmpeg, cache) == found
