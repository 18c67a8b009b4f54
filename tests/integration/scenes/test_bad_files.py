"""Files that are missing, broken, or not what they are called: one line says which, where, and why."""

from __future__ import annotations

import os
import re
import shutil
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

import clips
from integration.scenes.rig import Film, Kiln
from renderkiln.app import Renderkiln
from renderkiln.domain.event import Event
from renderkiln.settings import Settings

pytestmark = pytest.mark.integration


def bomb(path: Path, side: int = 100_000) -> None:
    """A PNG of some bytes that says it has ten thousand million pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1000))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


@pytest.fixture(scope="module")
def files(kiln: Kiln) -> Path:
    folder = kiln.folder
    clip = clips.plain(folder, "clip.mp4", fps="24", seconds=0.5)
    song = clips.ffmpeg(folder / "song.mp3", *clips.tone(1))
    shutil.copy(song, folder / "song.png")
    (folder / "half.mp4").write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    (folder / "zeros.mp4").write_bytes(bytes(5000))
    for name in ("empty.png", "empty.ttf", "empty.srt", "empty.mp3"):
        (folder / name).write_bytes(b"")
    (folder / "words.srt").write_text("Only words.")
    bomb(folder / "bomb.png")
    (folder / "link.png").symlink_to("/etc/passwd")
    (folder / "folder.png").mkdir()
    os.mkfifo(folder / "pipe.png")
    return folder


def picture(file: str) -> dict[str, Any]:
    return {"scenes": [{"id": "a", "duration": 0.5, "background": {"type": "image", "file": file}}]}


def clip(file: str, seconds: float = 1, **values: Any) -> dict[str, Any]:
    background = {"type": "video", "file": file, **values}
    return {"scenes": [{"id": "a", "duration": seconds, "background": background}]}


def spoken(**values: Any) -> dict[str, Any]:
    return {"scenes": [{"id": "a", "voice": {"speech": "Hello.", **values}}]}


IN_A = "scenes[0] (a).background.file: "
OUTSIDE = "lies outside of the project's folder: copy the file into it"
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "missing": (picture("sng.png"), IN_A + 'there is no file "sng.png"; did you mean song.png?'),
    "empty picture": (picture("empty.png"), IN_A + "'empty.png': the image is empty (0 bytes)"),
    "song as picture": (picture("song.png"), IN_A + "'song.png': not a JPEG, PNG or WebP image"),
    "clip as picture": (picture("clip.mp4"), IN_A + "'clip.mp4': not a JPEG, PNG or WebP image"),
    "bomb": (picture("bomb.png"), IN_A + "'bomb.png': 100000x100000 pixels are more than"),
    "folder": (picture("folder.png"), IN_A + '"folder.png" is a folder'),
    "pipe": (picture("pipe.png"), IN_A + '"pipe.png" is no file'),
    "link": (picture("link.png"), IN_A + '"link.png" ' + OUTSIDE),
    "above": (picture("../song.png"), IN_A + '"../song.png" ' + OUTSIDE),
    "absolute": (picture("/etc/passwd"), IN_A + '"/etc/passwd" ' + OUTSIDE),
    "line break": (picture("a\nb.png"), IN_A + '"a\\nb.png" has a character in it that no name has'),
    "scheme": (picture("ftp://x/y.png"), IN_A + "'ftp://x/y.png' is not an http or https URL"),
    "private": (picture("http://127.0.0.1/x.png"), IN_A + "'127.0.0.1' is not on the public internet"),
    "cut off": (clip("half.mp4"), IN_A + "'half.mp4' is not a media file, or it is damaged beyond reading"),
    "zeros": (clip("zeros.mp4"), IN_A + "'zeros.mp4' is not a media file"),
    "song as clip": (clip("song.mp3"), IN_A + "'song.mp3' has no picture: name a clip"),
    "empty font": (
        {"brand": {"fonts": {"x": "empty.ttf"}}, "scenes": [{"duration": 1}]},
        "brand.fonts.x: 'empty.ttf': not a readable font file; use a TrueType or OpenType font",
    ),
    "empty captions": (
        {"scenes": [{"duration": 1, "layers": [{"type": "captions", "file": "empty.srt"}]}]},
        "scenes[0].layers[0].file: 'empty.srt' is empty (zero bytes)",
    ),
    "words": (
        {"scenes": [{"duration": 1, "layers": [{"type": "captions", "file": "words.srt"}]}]},
        "scenes[0].layers[0].file: 'words.srt' has no captions as SRT or WebVTT",
    ),
    "empty music": (
        {"scenes": [{"duration": 1}], "music": "empty.mp3"},
        "music.file: 'empty.mp3' is empty (zero bytes)",
    ),
    "picture as voice": (
        {"scenes": [{"id": "a", "voice": {"file": "bomb.png"}}]},
        "scenes[0] (a).voice.file: 'bomb.png' is not a media file we accept",
    ),
    "nobody": (
        spoken(voice="nobody:x"),
        "scenes[0] (a).voice.voice: unknown speech 'nobody'; known are: elevenlabs, espeak, openai",
    ),
    "nobody for all": ({"voice": "nobody:x", **spoken()}, "voice: unknown speech 'nobody'"),
    "no key": (
        spoken(voice="openai:nova"),
        "scenes[0] (a).voice.voice: TTS provider not configured: set OPENAI_API_KEY",
    ),
    "short clip": (
        clip("clip.mp4", if_short="error"),
        "'clip.mp4' ends 0.5 s before its time in the scene a: shorten the scene, or choose loop or freeze",
    ),
    "trimmed away": (clip("clip.mp4", trim=3), "The scene a trims 3 s of 'clip.mp4', which has 0.50 s"),
    "transition longer than what is said": (
        {
            "scenes": [
                {"id": "a", "voice": "Hi.", "transition": {"type": "dip", "duration": 25}},
                {"voice": "Ho."},
            ]
        },
        "its transitions take 25.00 s: make it longer or them shorter",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_said_with_its_place(kiln: Kiln, files: Path, name: str) -> None:
    project, words = BAD[name]
    report = kiln.render(project)
    assert report.state == "failed"
    assert report.error is not None
    assert report.error.code == "PERMANENT"
    assert words in report.error.message
    assert str(kiln.folder.parent) not in report.error.message  # nobody knows where we keep our copies
    assert "\n" not in report.error.message
    assert not list((kiln.folder / "out").iterdir())


def test_of_chosen_scenes_the_place_is_that_in_the_document(kiln: Kiln, files: Path) -> None:
    scenes = [
        {"duration": 0.5},
        *picture("empty.png")["scenes"],
        {"id": "c", "voice": {"speech": "Hi.", "voice": "nobody:x"}},
    ]
    said = [kiln.render({"scenes": scenes}, scenes=[id]).error for id in ("a", "c")]
    places = [error.message.partition(":")[0] for error in said if error is not None]
    assert places == ["scenes[1] (a).background.file", "scenes[2] (c).voice.voice"]


@pytest.mark.parametrize("if_short", ["loop", "freeze"])
def test_a_clip_shorter_than_its_scene_is_looped_or_stands_still(
    kiln: Kiln, files: Path, if_short: str
) -> None:
    clips.click_and_flash(files, 2, "24")
    film = kiln.film(clip("click.mp4", 3, trim=0.5, if_short=if_short))
    flashes = [0.5, 2.0] if if_short == "loop" else [0.5]
    assert film.flashes == pytest.approx(flashes)
    assert film.clicks == pytest.approx(flashes, abs=0.003)
    assert ("short-a-0" in kiln.warnings) == (if_short == "freeze")


def test_a_layer_that_begins_after_its_scene_has_ended_is_told(kiln: Kiln, files: Path) -> None:
    shape = {"type": "shape", "width": 100, "height": 100}
    layers = [{"type": "video", "file": "clip.mp4", "start": 30}, {**shape, "start": 40}, shape]
    kiln.film({"scenes": [{"id": "a", "voice": "Hi.", "layers": layers}]})
    unseen = {code: words for code, words in kiln.warnings.items() if code.startswith("unseen")}
    assert list(unseen) == ["unseen-a-0", "unseen-a-1"]
    assert "layers[0] of the scene a is never seen: it begins at 30 s" in unseen["unseen-a-0"]


@pytest.mark.parametrize(
    ("text", "shortened"), [("word " * 2000, True), ("w" * 10_000, True), ("Some words.", False)]
)
def test_a_text_of_any_length_is_drawn_or_shortened_with_a_warning(
    kiln: Kiln, text: str, shortened: bool
) -> None:
    film = kiln.film({"scenes": [{"duration": 0.1, "layers": [{"type": "text", "text": text}]}]})
    assert film.luma.mean() > 0.2
    assert ("cut-0" in kiln.warnings) == shortened


def test_a_film_may_have_one_frame(kiln: Kiln) -> None:
    film = kiln.film({"scenes": [{"duration": 0.001, "background": "white"}]})
    assert len(film.luma) == 1
    assert film.luma[0] > 230


@pytest.mark.parametrize(
    ("title", "named"),
    [
        ("../../etc/$(reboot); 'x' \"y\" %d\n\u202e.mp4", "etc_reboot_x_y_d_mp4"),
        ("夜の🎬", None),
        ("x" * 250 + "夜" * 250, "x" * 60),
    ],
)
def test_titles_are_tags_as_they_are_and_names_that_harm_nobody(
    kiln: Kiln, title: str, named: str | None
) -> None:
    film = kiln.film({"title": title, "scenes": [{"duration": 0.1}]})
    assert film.path.parent == kiln.folder / "out"
    assert named is None or named in film.path.name
    assert len(os.fsencode(film.path.name)) < 200
    assert film.tags["title"] == title


@pytest.mark.parametrize("how", ["replaced", "written into"])
def test_a_file_that_changes_while_the_film_is_made_does_no_harm(kiln: Kiln, files: Path, how: str) -> None:
    """What was fetched is what is seen, in this film and in the next one with the same file."""
    changing = clips.still(files / f"{how}.png", clips.corners() * 0 + 255, frames=1)
    other = clips.still(files / "other.png", clips.corners() * 0, frames=1)
    white, project = changing.read_bytes(), picture(changing.name)

    def change(event: Event) -> None:
        if event.name == "stage.completed" and event.stage == "fetch":
            if how == "replaced":
                other.replace(changing)
            else:
                changing.write_bytes(other.read_bytes())

    film = Film.of(kiln.render(project, listen=change))
    assert film.luma.min() > 230
    changing.write_bytes(white)
    again = kiln.film({"title": "Once more", **project})
    assert again.luma.min() > 230
    assert again.report.result is not None
    assert again.report.result["partsReused"] == 1


def test_a_file_too_large_is_not_taken(tmp_path: Path, files: Path) -> None:
    with Renderkiln.open(Settings.load(home=tmp_path, max_file_size=4000)) as opened:
        error = Kiln(opened, files).render(clip("clip.mp4")).error
    assert error is not None
    assert re.match(
        re.escape(IN_A) + r"it has \d+ bytes; the largest file taken has 4000 \(setting max", error.message
    )
