"""Files that params name go along; texts that only read like one stay what they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from renderkiln.cli.luggage import Luggage, pack
from renderkiln.cli.orders import Order, form_of
from renderkiln.domain.errors import UsageError

ASSET = "asset:ast_" + "ab" * 16


def packed(pipeline: str, file: Path, **given: Any) -> Luggage:
    defaults = {"more": ()} if pipeline == "narration" else {"format": (), "scenes": (), "max_bytes": None}
    (order,) = form_of(pipeline).orders(files=[file], **{**defaults, **given})
    return pack(pipeline, order)


def test_every_file_of_a_project_and_no_text(tmp_path: Path) -> None:
    layers = [
        {"type": "text", "text": "pics/cover.png"},
        {"type": "image", "file": "pics/cover.png"},
        {"type": "image", "file": "https://example.com/a.png"},
    ]
    project = {"scenes": [{"id": "a", "duration": 1, "layers": layers}], "music": {"file": "song.mp3"}}
    (tmp_path / "p.json").write_text(json.dumps(project))
    (tmp_path / "pics").mkdir()
    for name in ("pics/cover.png", "song.mp3"):
        (tmp_path / name).touch()
    luggage = packed("scenes", tmp_path / "p.json")
    assert sorted(luggage.files.values()) == [tmp_path / "pics/cover.png", tmp_path / "song.mp3"]
    params = luggage.unpacked(lambda path: f"asset:ast_{len(path.name):032x}")
    text, image, other = params["project"]["scenes"][0]["layers"]
    assert text["text"] == "pics/cover.png"
    assert image["file"] == f"asset:ast_{len('cover.png'):032x}"
    assert other["file"] == "https://example.com/a.png"
    assert params["project"]["music"]["file"] == f"asset:ast_{len('song.mp3'):032x}"
    assert params["folder"] == ""


def test_nothing_from_outside_of_a_project(tmp_path: Path) -> None:
    project = {"scenes": [{"id": "a", "duration": 1, "layers": [{"type": "image", "file": "../secret.png"}]}]}
    (tmp_path / "secret.png").touch()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "p.json").write_text(json.dumps(project))
    with pytest.raises(UsageError, match="outside of the project"):
        packed("scenes", tmp_path / "in" / "p.json")


def test_music_and_a_recorded_voice(tmp_path: Path) -> None:
    (tmp_path / "calm.txt").write_text(
        str(tmp_path / "song.wav")
    )  # a script that reads like the music's path
    voice, music = tmp_path / "voice.wav", tmp_path / "song.wav"
    luggage = packed("narration", tmp_path / "calm.txt", voice=f"file:{voice}", music=str(music))
    assert sorted(luggage.files.values()) == [music, voice]
    params = luggage.unpacked(lambda _: ASSET)
    assert params["voice"] == f"file:{ASSET}"
    assert params["layers"]["background"]["track"] == ASSET
    assert params["script"] == str(music)
    assert pack("narration", Order(tmp_path, {"script": "Hi"}, "1", needed=False)).files == {}
