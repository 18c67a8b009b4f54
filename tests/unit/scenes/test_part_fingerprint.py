"""What makes a part of a film another one, and what does not."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from renderkiln.media.captions import Cue
from renderkiln.media.ffmpeg import binary
from renderkiln.media.frames.fonts import font_files
from renderkiln.pipelines.contract import Result, Services
from renderkiln.pipelines.scenes.drawing.studio import Found, Studio
from renderkiln.pipelines.scenes.identity import part_fingerprint
from renderkiln.pipelines.scenes.params import ScenesParams
from renderkiln.pipelines.scenes.timeline import lay_out
from renderkiln.testing import FakeContext
from surveys import surveyed

Project = dict[str, Any]
TEXT = {"type": "text", "text": "Hello"}
# Three scenes of two seconds that fade into each other; 12 s of the last are two pieces.
PROJECT: Project = {
    "resolution": "480p",
    "fps": 30,
    "transition": {"type": "crossfade", "duration": 0.5},
    "brand": {"colors": {"ink": "#123456"}, "logo": {"file": "logo.png"}, "fonts": {"own": "own.ttf"}},
    "music": {"file": "music.mp3"},
    "scenes": [
        {
            "id": "a",
            "duration": 2,
            "layers": [dict(TEXT), {"type": "image", "file": "a.png"}],
            "voice": {"speech": "Hello.", "start": 0.1},
        },
        {"id": "b", "duration": 2, "layers": [dict(TEXT), {"type": "video", "file": "b.mp4"}], "logo": False},
        {
            "id": "c",
            "duration": 12,
            "background": {"type": "video", "file": "c.mp4"},
            "layers": [dict(TEXT), {"type": "progress", "of": "scene"}],
        },
    ],
}
ALL = {"scene-0000-0000", "passage-0000", "scene-0001-0000", "passage-0001", "scene-0002-0000",
       "scene-0002-0001"}  # fmt: skip
A = {"scene-0000-0000", "passage-0000"}
B = {"passage-0000", "scene-0001-0000", "passage-0001"}
C = {"passage-0001", "scene-0002-0000", "scene-0002-0001"}


class Prints:
    """Fingerprints of all parts of a project in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.contents: dict[str, str] = {}  # of files, other than their names
        self.bars = b"bars"
        self.spoken = {"a": [Cue(0.1, 1, "Hello.")]}
        self.services = Services(binary.find(), folder / "cache", folder / "output")

    def of(self, project: Project, **params: Any) -> dict[str, str]:
        given = ScenesParams.model_validate({"project": project, **params})
        seconds = {id: float(scene.duration or 0) for id, scene in given.chosen}
        timeline = lay_out(given.chosen, seconds, given.project.transition, given.canvas.fps)
        bars = self._folder / "bars"
        bars.write_bytes(self.bars)
        sound = Result({}, {f"bars-{name}": bars for name in ("mix", "voice", "music")})
        ctx = FakeContext(self._folder, given, results={"sound": sound}, services=self.services)
        found = {each: self._found(each) for each in self._files(project)}
        studio = Studio(
            given.canvas, given.project.brand, found, ctx.read_ffmpeg, timeline.frames, self.spoken
        )
        return {part.key: part_fingerprint(ctx, part, studio) for part in timeline.parts()}

    def _found(self, name: str) -> Found:
        content = self.contents.get(name, name)
        return Found(Path(name), content, surveyed() if name.endswith("mp4") else None)

    def _files(self, project: Project) -> list[str]:
        return [
            each for each in json.dumps(project).split('"') if each.endswith((".png", ".mp4", ".mp3", ".ttf"))
        ]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("prints")


@pytest.fixture
def prints(shared: Path) -> Prints:
    return Prints(shared)


def edited(edit: Callable[[Project], object]) -> Project:
    project = copy.deepcopy(PROJECT)
    edit(project)
    return project


def changed(one: dict[str, str], other: dict[str, str]) -> set[str]:
    return {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}


def scene(number: int, **fields: Any) -> Callable[[Project], object]:
    return lambda project: project["scenes"][number].update(fields)


def layer(number: int, at: int, **fields: Any) -> Callable[[Project], object]:
    return lambda project: project["scenes"][number]["layers"][at].update(fields)


def test_all_parts_are_different(prints: Prints) -> None:
    told = prints.of(PROJECT)
    assert told.keys() == ALL
    assert len(set(told.values())) == len(ALL)
    assert told == prints.of(copy.deepcopy(PROJECT))


@pytest.mark.parametrize(("edit", "parts"), [
    (layer(0, 0, text="Bye"), A),
    (layer(1, 0, text="Bye"), B),
    (layer(2, 0, text="Bye"), C),
    (layer(1, 0, enter="fade"), B),
    (scene(0, background="white"), A),
    (scene(1, logo=True), B),
    (scene(1, layers=[]), B),
    (scene(0, transition={"type": "wipe", "duration": 0.5}), {"passage-0000"}),
    (scene(1, transition={"type": "crossfade", "duration": 0.5, "easing": "linear"}), {"passage-0001"}),
    (scene(2, transition={"type": "wipe", "duration": 0.5}), set()),  # nothing follows
    (scene(0, duration=3), A),
], ids=[
    "text", "text-b", "text-c", "motion", "colour", "logo", "layers", "passage", "easing", "last", "longer"
])  # fmt: skip
def test_an_edit_of_a_scene_changes_it_and_its_passages(
    edit: Callable[[Project], object], parts: set[str], prints: Prints
) -> None:
    assert changed(prints.of(PROJECT), prints.of(edited(edit))) == parts


@pytest.mark.parametrize("edit", [
    scene(0, voice={"speech": "Something else."}),
    scene(0, voice={"speech": "Hello.", "gain_db": 3}),
    scene(0, id="other"),
    lambda project: project.update(title="Other", voice="espeak:de"),
    lambda project: project.update(music={"file": "other.mp3"}),
    lambda project: project["music"].update(gain_db=-3),
    lambda project: project.update(loudness={"target_lufs": -20}),
], ids=["speech", "gain", "id", "title", "track", "music", "loudness"])  # fmt: skip
def test_what_is_only_heard_changes_no_picture(edit: Callable[[Project], object], prints: Prints) -> None:
    assert changed(prints.of(PROJECT), prints.of(edited(edit))) == set()


@pytest.mark.parametrize("heard", [{"gain_db": -6}, {"mute": True}])
def test_neither_does_the_sound_of_clips(heard: dict[str, Any], prints: Prints) -> None:
    def edit(project: Project) -> None:
        project["scenes"][1]["layers"][1].update(heard)
        project["scenes"][2]["background"].update(heard)

    assert changed(prints.of(PROJECT), prints.of(edited(edit))) == set()


@pytest.mark.parametrize("params", [
    {"fps": 60}, {"resolution": "720p"}, {"aspect": "1:1"}, {"quality": "draft"}, {"format": "webm"},
], ids=str)  # fmt: skip
def test_another_kind_of_film_has_other_parts(params: dict[str, Any], prints: Prints) -> None:
    assert changed(prints.of(PROJECT), prints.of(PROJECT, **params)) >= ALL


def test_the_brand_is_in_all_of_them(prints: Prints) -> None:
    edit = edited(lambda project: project["brand"]["colors"].update(ink="#654321"))
    assert changed(prints.of(PROJECT), prints.of(edit)) == ALL


def test_so_are_the_fonts_of_the_house(prints: Prints) -> None:
    before = prints.of(PROJECT)
    prints.services = Services(binary.find(), Path(), Path(), fonts=font_files()[:1])
    assert changed(before, prints.of(PROJECT)) == ALL


@pytest.mark.parametrize(("name", "parts"), [
    ("a.png", A), ("b.mp4", B), ("c.mp4", C), ("logo.png", A | C), ("own.ttf", ALL), ("music.mp3", set()),
])  # fmt: skip
def test_other_contents_of_a_file_change_where_it_is_seen(name: str, parts: set[str], prints: Prints) -> None:
    before = prints.of(PROJECT)
    prints.contents[name] = "other"
    assert changed(before, prints.of(PROJECT)) == parts


def test_progress_of_the_film_tells_of_its_length_and_of_scenes_before(prints: Prints) -> None:
    def progress(project: Project) -> None:
        project["scenes"][1]["layers"].append({"type": "progress", "of": "film"})

    one = edited(progress)
    longer, later = copy.deepcopy(one), copy.deepcopy(one)
    longer["scenes"][2]["duration"] = 11
    later["scenes"][0]["duration"], later["scenes"][2]["duration"] = 3, 11
    assert changed(prints.of(one), prints.of(longer)) == B | C
    assert changed(prints.of(one), prints.of(later)) == A | B | C
    assert "scene-0001-0000" not in changed(prints.of(PROJECT), prints.of(edited(scene(2, duration=11))))


def test_captions_of_what_is_spoken_change_with_it(prints: Prints) -> None:
    captioned = edited(lambda project: project["scenes"][0]["layers"].append({"type": "captions"}))
    plain, before = prints.of(PROJECT), prints.of(captioned)
    prints.spoken = {"a": [Cue(0.1, 1.2, "Hello.")]}
    assert changed(before, prints.of(captioned)) == A
    assert changed(plain, prints.of(PROJECT)) == set()


def test_a_waveform_changes_with_its_sound(prints: Prints) -> None:
    waved = edited(lambda project: project["scenes"][2]["layers"].append({"type": "waveform", "of": "music"}))
    before = prints.of(waved)
    prints.bars = b"other"
    assert changed(before, prints.of(waved)) == C


def test_a_scene_is_the_same_wherever_it_stands(prints: Prints) -> None:
    def cut(project: Project) -> None:
        project["transition"] = "cut"

    told, turned = prints.of(edited(cut)), prints.of(edited(cut), scenes=["c", "b", "a"])
    assert [told[f"scene-000{n}-0000"] for n in (0, 1, 2)] == [
        turned[f"scene-000{n}-0000"] for n in (2, 1, 0)
    ]
