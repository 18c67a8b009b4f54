"""A project is checked before it is rendered, and what is wrong is told line by line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import clips

from .conftest import Command

GOOD: dict[str, Any] = {
    "scenes": [{"id": "intro", "duration": 2.5}, {"id": "outro", "duration": 1, "transition": "crossfade"}]
}
BAD: dict[str, Any] = {
    "fps": 29,
    "scenes": [{"id": "intro", "duration": -2, "layers": [{"type": "text", "txet": "Hi"}]}],
}
MISTAKES = [
    "fps: must be 24, 25, 30, 50 or 60, not 29",
    "scenes[0] (intro).duration: must be greater than 0, not -2",
    "scenes[0] (intro).layers[0].text: is missing",
    "scenes[0] (intro).layers[0].txet: unknown field; did you mean text?",
]


def written(renderkiln: Command, document: Any, name: str = "film.json") -> Path:
    path = renderkiln.folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return path


def test_a_good_project_is_told_with_its_length(renderkiln: Command) -> None:
    written(renderkiln, GOOD)
    written(renderkiln, {"scenes": [{"voice": "Hello"}]}, "spoken.json")
    ended = renderkiln("scenes", "validate", "film.json", "spoken.json")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "film.json: 2 scenes, 3.5 s\nspoken.json: 1 scene, 0.8 s at least\n"


def test_mistakes_are_lines_that_editors_understand(renderkiln: Command) -> None:
    written(renderkiln, GOOD, "good.json")
    written(renderkiln, BAD)
    ended = renderkiln("scenes", "validate", "good.json", "film.json", "gone.json")
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        *(f"film.json: {each}" for each in MISTAKES),
        "gone.json: cannot be read: no such file or directory",
    ]
    assert ended.stdout == "good.json: 2 scenes, 3.5 s\n"


def test_files_are_looked_for_beside_the_document(renderkiln: Command) -> None:
    (renderkiln.folder / "films").mkdir()
    (renderkiln.folder / "films" / "fox.png").write_bytes(b"no picture")
    scenes = [
        {"duration": 1, "background": {"type": "image", "file": name}}
        for name in ("fox.png", "fxo.png", "../a.png")
    ]
    written(renderkiln, {"scenes": scenes}, "films/film.json")
    ended = renderkiln("scenes", "validate", "films/film.json")
    assert ended.returncode == 2
    start = "films/film.json: scenes"
    outside = "lies outside of the project's folder: copy the file into it"
    assert ended.stderr.splitlines() == [
        f"{start}[0].background.file: fox.png: not a JPEG, PNG or WebP image, or cut off near its beginning",
        f'{start}[1].background.file: there is no file "fxo.png"; did you mean fox.png?',
        f'{start}[2].background.file: "../a.png" {outside}',
    ]


def test_a_clip_that_is_trimmed_away_is_a_mistake(renderkiln: Command) -> None:
    clips.plain(renderkiln.folder, "clip.mp4", seconds=0.5)
    layer = {"type": "video", "file": "clip.mp4", "trim": 3}
    written(renderkiln, {"scenes": [{"duration": 1, "layers": [layer]}]}, "film.json")
    ended = renderkiln("scenes", "validate", "film.json")
    said = 'film.json: scenes[0].layers[0].trim: is 3 s, but "clip.mp4" lasts 0.50 s\n'
    assert (ended.returncode, ended.stderr) == (2, said)


def test_json_for_programs(renderkiln: Command) -> None:
    written(renderkiln, GOOD, "good.json")
    written(renderkiln, BAD)
    ended = renderkiln("scenes", "validate", "good.json", "film.json", "-o", "json")
    assert (ended.returncode, ended.stderr) == (2, "")
    good, bad = json.loads(ended.stdout)
    assert good == {
        "file": "good.json",
        "ok": True,
        "mistakes": [],
        "more": 0,
        "scenes": 2,
        "seconds": 3.5,
        "exact": True,
    }
    assert (bad["ok"], bad["scenes"], bad["seconds"]) == (False, None, None)
    assert [f"{each['path']}: {each['message']}" for each in bad["mistakes"]] == MISTAKES


def test_stdin_is_read_in_the_current_folder(renderkiln: Command) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "renderkiln", "scenes", "validate", "-"],
        input=json.dumps({"scenes": [{"duration": 1, "background": {"type": "image", "file": "a.png"}}]}),
        cwd=renderkiln.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 2
    assert process.stderr == '-: scenes[0].background.file: there is no file "a.png"\n'


def test_the_schema_is_one(renderkiln: Command) -> None:
    ended = renderkiln("scenes", "schema")
    schema = json.loads(ended.stdout)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["required"] == ["scenes"]
    assert set(schema["properties"]) >= {"$schema", "version", "brand", "scenes"}
    for reference in json.dumps(schema).split('"$ref": "')[1:]:
        name = reference.partition('"')[0].removeprefix("#/$defs/")
        assert name in schema["$defs"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("film.json",), [f"film.json: {each}" for each in MISTAKES]),
        (("good.json", "--scene", "intor"), ['good.json: there is no scene "intor"; did you mean intro?']),
        (("gone.json",), ["gone.json cannot be read: no such file or directory"]),
        (("good.json", "--max-bytes", "lots"), ["'lots' is no size: write 8MB"]),
    ],
)
@pytest.mark.parametrize("does", ["render", "submit"])
def test_a_wrong_project_is_wrong_usage(
    renderkiln: Command, does: str, arguments: tuple[str, ...], says: list[str]
) -> None:
    written(renderkiln, GOOD, "good.json")
    written(renderkiln, BAD)
    ended = renderkiln(does, "scenes", *arguments)
    assert ended.returncode == 2
    lines = ended.stderr.splitlines()
    assert len(lines) == len(says)
    assert all(line.startswith("renderkiln: ") for line in lines)
    assert all(words in line for line, words in zip(lines, says, strict=True))
