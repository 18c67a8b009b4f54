"""The files that a project names: within its folder, there, and what they should be."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from renderkiln.domain.errors import UsageError
from renderkiln.pipelines.scenes.document.files import check_files
from renderkiln.pipelines.scenes.document.places import places, resolve_place
from renderkiln.pipelines.scenes.document.project import Project


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inner = tmp_path / "project"
    (inner / "images").mkdir(parents=True)
    (inner / "images" / "Fox.png").write_bytes(b"x")
    (tmp_path / "secret.png").write_bytes(b"x")
    (inner / "link.png").symlink_to(tmp_path / "secret.png")
    (inner / "good.png").symlink_to("images/Fox.png")
    (inner / "out").symlink_to(tmp_path)
    (inner / "loop").symlink_to("loop")
    os.mkfifo(inner / "pipe")
    return inner


def refused(place: str, folder: Path) -> str:
    with pytest.raises(UsageError) as caught:
        resolve_place(place, folder)
    return str(caught.value)


@pytest.mark.parametrize("place", ["images/Fox.png", "./images/../images/Fox.png", "good.png"])
def test_a_file_in_the_folder_is_found(folder: Path, place: str) -> None:
    assert resolve_place(place, folder) == (folder / "images/Fox.png").resolve()


@pytest.mark.parametrize("place", ["../secret.png", "link.png", "out/secret.png", "images/../../secret.png"])
def test_a_path_that_leads_out_is_refused(folder: Path, place: str) -> None:
    assert refused(place, folder) == f'"{place}" lies outside of the project\'s folder: copy the file into it'


def test_an_absolute_path_is_refused_even_into_the_folder(folder: Path) -> None:
    assert "lies outside" in refused("/etc/passwd", folder)
    assert "lies outside" in refused(str(folder / "images/Fox.png"), folder)
    # What is not there is not told apart from what is: nobody is to look around.
    assert refused("../nothing.png", folder) == refused("../secret.png", folder).replace("secret", "nothing")


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("images/fxo.png", 'there is no file "images/fxo.png"; did you mean images/Fox.png?'),
        ("image/Fox.png", 'there is no file "image/Fox.png"; did you mean images?'),
        ("images/FOX.PNG", 'there is no file "images/FOX.PNG"; did you mean images/Fox.png?'),
        ("zzz", 'there is no file "zzz"'),
        ("good.png/x", 'there is no file "good.png/x"'),
        ("images", '"images" is a folder'),
        (".", '"." is a folder'),
        ("pipe", '"pipe" is no file'),
        ("loop", '"loop" is a link that leads back to itself'),
        ("x" * 300, f'"{"x" * 58}… is too long for the name of a file'),
        ("a\x00b", '"a\\u0000b" has a character in it that no name has: a line break, NUL or other'),
        ("a\nb", '"a\\nb" has a character in it that no name has: a line break, NUL or other'),
        ("file:///etc/passwd", 'there is no file "file:///etc/passwd"'),
    ],
    ids=lambda each: each[:20],
)
def test_what_is_no_file_is_told(folder: Path, place: str, says: str) -> None:
    assert refused(place, folder) == says


def project(**fields: Any) -> Project:
    return Project.model_validate({"scenes": [{"duration": 1}], **fields})


def test_every_file_is_named_with_its_place_and_kind() -> None:
    named = project(
        brand={"fonts": {"My font": "f.ttf"}, "logo": {"file": "l.png"}},
        music="m.mp3",
        scenes=[
            {"id": "a", "background": {"type": "video", "file": "b.mp4"}, "voice": {"file": "v.wav"}},
            {
                "duration": 1,
                "background": {"type": "image", "file": "https://example.org/i.png"},
                "layers": [
                    {"type": "image", "file": "i.png"},
                    {"type": "video", "file": "c.mp4"},
                    {"type": "captions", "file": "c.srt"},
                    {"type": "text", "text": "Hi"},
                ],
                "voice": "no file",
            },
        ],
    )
    assert [(each.path, each.place, each.kind) for each in places(named)] == [
        ('brand.fonts["My font"]', "f.ttf", "font"),
        ("brand.logo.file", "l.png", "image"),
        ("music.file", "m.mp3", "audio"),
        ("scenes[0] (a).background.file", "b.mp4", "video"),
        ("scenes[0] (a).voice.file", "v.wav", "audio"),
        ("scenes[1].background.file", "https://example.org/i.png", "image"),
        ("scenes[1].layers[0].file", "i.png", "image"),
        ("scenes[1].layers[1].file", "c.mp4", "video"),
        ("scenes[1].layers[2].file", "c.srt", "captions"),
    ]


def test_files_that_are_not_what_they_should_be_are_told(folder: Path) -> None:
    (folder / "empty.ttf").touch()
    (folder / "c.srt").write_text("no captions")
    wrong = project(
        brand={"fonts": {"F": "empty.ttf"}},
        music="images/Fox.png",
        scenes=[
            {"duration": 1, "background": {"type": "image", "file": "images/Fox.png"}},
            {"duration": 1, "background": {"type": "image", "file": "ftp://example.org/a.png"}},
            {"duration": 1, "layers": [{"type": "captions", "file": "c.srt"}]},
        ],
    )
    found = [str(each) for each in check_files(wrong, folder)]
    assert [each.partition(": ")[0] for each in found] == [
        "brand.fonts.F",
        "music.file",
        "scenes[0].background.file",
        "scenes[1].background.file",
        "scenes[2].layers[0].file",
    ]
    assert found[0] == ("brand.fonts.F: empty.ttf: not a readable font file; use a TrueType or OpenType font")
    assert not any(str(folder) in each for each in found)
    assert "ftp" in found[3]
