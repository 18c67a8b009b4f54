"""Projects become films, as a user asks for them; what the files hold is decoded and measured here."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from renderkiln.media.frames.image import read_image
from renderkiln.media.probe import probe

from .conftest import Command, tune, write_wav

Percent = Callable[[subprocess.Popen[str], float], None]

FPS = 24
FADE = {"type": "crossfade", "duration": 0.125}  # three frames
STARTS = [0, 9, 18, 27, 36, 48, 60, 72, 84, 96]  # of the ten scenes, in frames
COLORS = ("#8c2f39", "#2f6f8c", "#3f8c2f", "#8c6f2f", "#5a2f8c")


def scene(number: int, text: str = "") -> dict[str, Any]:
    """Half a second of one colour with a caption: the one of its number, if nothing else is said."""
    layer = {"type": "text", "text": text or f"Caption {number}", "anchor": "bottom", "style": "title"}
    return {"id": f"s{number}", "duration": 0.5, "background": COLORS[number % 5], "layers": [layer]}


def project(scenes: Sequence[Mapping[str, Any]], **values: Any) -> dict[str, Any]:
    return {"title": "Ten of them", "resolution": "480p", "fps": FPS, "scenes": scenes, **values}


def written(renderkiln: Command, document: Mapping[str, Any], name: str = "film.json") -> Path:
    path = renderkiln.folder / name
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def render(renderkiln: Command, *arguments: object, status: int = 0) -> list[dict[str, Any]]:
    """Render projects; the reports of all jobs."""
    call = ("render", "scenes", *arguments, "--quality", "draft", "--out", renderkiln.out, "-o", "json")
    ended = renderkiln(*call)
    assert ended.returncode == status, ended.stderr
    assert "Traceback" not in ended.stderr
    found: list[dict[str, Any]] = json.loads(ended.stdout)
    return found


def packets(path: str) -> list[bytes]:
    """Of each frame of a film, as it is encoded."""
    with av.open(path) as film:
        return [bytes(packet) for packet in film.demux(video=0) if packet.size]


def colors_of(path: str) -> list[tuple[int, int, int]]:
    """Of each frame of a film, the colour in its upper left corner."""
    with av.open(path) as film:
        corners = [frame.to_ndarray(format="rgb24")[8:24, 8:24] for frame in film.decode(video=0)]
    return [tuple(np.round(corner.mean(axis=(0, 1))).astype(int)) for corner in corners]


def near(color: tuple[int, int, int], wanted: str) -> bool:
    """Whether it is a colour of the document, but for what YUV and H.264 make of it."""
    return max(abs(one - other) for one, other in zip(color, rgb(wanted), strict=True)) <= 3


def rgb(color: str) -> tuple[int, ...]:
    return tuple(int(color[at : at + 2], 16) for at in (1, 3, 5))


together = pytest.mark.xdist_group("ten")  # whoever takes one of them renders the film


@pytest.fixture(scope="module")
def ten(tmp_path_factory: pytest.TempPathFactory) -> tuple[Command, dict[str, Any]]:
    """A film of ten scenes with music and crossfades between the first five of them, and its report."""
    folder = tmp_path_factory.mktemp("ten")
    command = Command(folder, folder / "home")
    write_wav(folder / "music.wav", tune(3.0))
    scenes = [scene(n) | ({"transition": FADE} if n <= 4 else {}) for n in range(1, 11)]
    written(command, project(scenes, music="music.wav"))
    (report,) = render(command, "film.json", "--report")
    return command, report


@together
def test_a_project_becomes_a_film(ten: tuple[Command, dict[str, Any]]) -> None:
    command, report = ten
    assert (report["state"], report["progress"], report["error"]) == ("completed", 100.0, None)
    film = report["artifacts"][0]
    assert re.fullmatch(r"\d{8}_ten_of_them_480p_v1\.mp4", film["name"])
    assert report["result"]["video"] == film["path"]
    assert [each["kind"] for each in report["artifacts"]] == ["video", "thumbnail", "report"]
    assert set(command.delivered()) >= {each["name"] for each in report["artifacts"]}
    seconds = 10 * 0.5 - 4 * 0.125
    info = probe(Path(film["path"]))
    assert info.video is not None
    assert info.audio is not None
    assert (info.video.width, info.video.height, info.video.fps) == (854, 480, "24")
    assert (info.video.codec, info.video.frames, info.audio.codec) == ("h264", seconds * FPS, "aac")
    assert info.duration == pytest.approx(seconds, abs=0.001)
    assert set(info.video.color.values()) == {"tv", "bt709"}
    assert info.tags["title"] == "Ten of them"
    data = Path(film["path"]).read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")


@together
def test_the_result_tells_scenes_and_parts(ten: tuple[Command, dict[str, Any]]) -> None:
    result = ten[1]["result"]
    assert (result["duration"], result["frames"], result["framesDrawn"]) == (4.5, 108, 108)
    assert (result["parts"], result["partsReused"]) == (14, 0)  # ten scenes and four passages
    assert [each["start"] for each in result["scenes"]] == [start / FPS for start in STARTS]
    assert [each["id"] for each in result["scenes"]] == [f"s{n}" for n in range(1, 11)]
    assert {each["seconds"] for each in result["scenes"]} == {0.5}


@together
def test_every_scene_is_seen_at_its_time_in_its_colour(ten: tuple[Command, dict[str, Any]]) -> None:
    seen = colors_of(ten[1]["result"]["video"])
    for number, start in enumerate(STARTS, 1):
        before, after = (3 if 2 <= number <= 5 else 0), (3 if number <= 4 else 0)
        alone = seen[start + before : start + 12 - after]
        assert all(near(color, COLORS[number % 5]) for color in alone), number
        if after:
            halfway = np.mean([rgb(COLORS[n % 5]) for n in (number, number + 1)], axis=0)
            assert seen[start + 10] == pytest.approx(halfway, abs=3), number


@together
def test_one_caption_of_ten_costs_one_scene_and_its_passages(ten: tuple[Command, dict[str, Any]]) -> None:
    command, before = ten
    document = json.loads((command.folder / "film.json").read_text())
    document["scenes"][7] = scene(8, "Another caption")
    document["scenes"][0]["layers"][0]["text"] = "Another beginning"
    written(command, document, "edited.json")
    (after,) = render(command, "edited.json")
    # The eighth scene stands between cuts; the first one is seen in a passage, too.
    assert (after["result"]["parts"], after["result"]["partsReused"]) == (14, 11)
    assert after["result"]["framesDrawn"] == 12 + 9 + 3
    old, new = packets(before["result"]["video"]), packets(after["result"]["video"])
    same = [one == other for one, other in zip(old, new, strict=True)]
    drawn = [*range(12), *range(72, 84)]
    assert all(same[frame] for frame in range(108) if frame not in drawn)
    assert not all(same[:9])
    assert not all(same[9:12])
    assert not all(same[72:84])


@together
def test_a_changed_order_draws_only_new_passages(ten: tuple[Command, dict[str, Any]]) -> None:
    command, _ = ten
    (report,) = render(command, "film.json", "--scene", "s9", "--scene", "s3", "--scene", "s6")
    assert [each["id"] for each in report["result"]["scenes"]] == ["s9", "s3", "s6"]
    assert report["result"]["frames"] == 3 * 12 - 3  # s3 fades into whatever follows
    seen = colors_of(report["result"]["video"])
    assert all(near(seen[frame], COLORS[n % 5]) for frame, n in ((0, 9), (11, 9), (12, 3), (20, 3), (32, 6)))
    # s9 is as it was; s3 has no passage before it any more, s6 one.
    assert (report["result"]["parts"], report["result"]["partsReused"]) == (4, 1)


@together
def test_without_the_cache_all_is_drawn_anew_and_is_the_same(ten: tuple[Command, dict[str, Any]]) -> None:
    command, before = ten
    (after,) = render(command, "film.json", "--no-cache")
    assert (after["result"]["partsReused"], after["result"]["framesDrawn"]) == (0, 108)
    assert after["artifacts"][0]["sha256"] == before["artifacts"][0]["sha256"]
    (reused,) = render(command, "film.json")
    assert (reused["result"]["partsReused"], reused["result"]["framesDrawn"]) == (14, 0)
    assert reused["artifacts"][0]["sha256"] == before["artifacts"][0]["sha256"]


@pytest.mark.parametrize(
    ("resolution", "aspect", "size"),
    [
        ("480p", "4:5", (480, 600)),
        ("720p", "9:16", (720, 1280)),
    ],
)
def test_flags_count_more_than_the_document(
    renderkiln: Command, resolution: str, aspect: str, size: tuple[int, int]
) -> None:
    written(renderkiln, project([scene(1) | {"duration": 0.2}]))
    flags = ("--resolution", resolution, "--aspect", aspect, "--fps", 30)
    (report,) = render(renderkiln, "film.json", *flags)
    info = probe(Path(report["result"]["video"]))
    assert info.video is not None
    assert (info.video.width, info.video.height, info.video.fps, info.video.frames) == (*size, "30", 6)
    assert f"_{resolution}_v1" in report["artifacts"][0]["name"]


def test_every_format_is_made_of_one_project(renderkiln: Command) -> None:
    write_wav(renderkiln.folder / "music.wav", tune(1.5))
    written(renderkiln, project([scene(1), scene(2)], music="music.wav"))
    formats = ("--format", "mp4", "--format", "webm", "--format", "gif")
    reports = render(renderkiln, "film.json", *formats)
    films = [report["artifacts"][0] for report in reports]
    assert [film["contentType"] for film in films] == ["video/mp4", "video/webm", "image/gif"]
    codecs = []
    for film in films:
        with av.open(film["path"]) as opened:
            sound = opened.streams.audio[0].codec_context.name if opened.streams.audio else None
            codecs.append((opened.streams.video[0].codec_context.name, sound))
            assert (opened.streams.video[0].width, opened.streams.video[0].height) == (854, 480)
    assert codecs == [("h264", "aac"), ("vp9", "opus"), ("gif", None)] or codecs == [
        ("h264", "aac"),
        ("libvpx-vp9", "opus"),
        ("gif", None),
    ]
    for film in films:
        seen = colors_of(film["path"])
        assert near(seen[0], COLORS[1])
        assert near(seen[-1], COLORS[2])


def test_a_queued_film_is_made_by_a_worker(renderkiln: Command) -> None:
    write_wav(renderkiln.folder / "music.wav", tune(1.5))
    written(renderkiln, project([scene(1), scene(2)], music="music.wav"))
    call = ("submit", "scenes", "film.json", "--quality", "draft", "--out", renderkiln.out, "-o", "json")
    batch = json.loads(renderkiln(*call).stdout)["batchId"]
    assert renderkiln("worker", "--queues", "video-rendering", "--idle-timeout", 1).returncode == 0
    shown = json.loads(renderkiln("batches", "show", batch, "-o", "json").stdout)
    assert (shown["state"], shown["counts"]["completed"]) == ("completed", 1)
    assert any(name.endswith("_ten_of_them_480p_v1.mp4") for name in renderkiln.delivered())


def test_a_stored_project_is_rendered_by_its_id(renderkiln: Command) -> None:
    write_wav(renderkiln.folder / "music.wav", tune(1.5))
    written(renderkiln, project([scene(n) for n in (1, 2, 3)], music="music.wav"))
    id = renderkiln("projects", "create", "film.json").stdout.strip()
    written(renderkiln, scene(4) | {"id": None}, "more.json")
    added = renderkiln("projects", "scenes", "add", id, "more.json").stdout.strip()
    (report,) = render(renderkiln, id, "--scene", added, "--scene", "s2")
    assert [each["id"] for each in report["result"]["scenes"]] == [added, "s2"]
    seen = colors_of(report["result"]["video"])
    assert near(seen[0], COLORS[4])
    assert near(seen[-1], COLORS[2])
    said = renderkiln("render", "scenes", "prj_nobody")
    assert said.returncode != 0
    assert len(said.stderr.splitlines()) == 1


@together
def test_a_preview_is_the_frame_of_the_film(ten: tuple[Command, dict[str, Any]]) -> None:
    command, report = ten
    # in the middle of a passage; the end
    for at, number in ((1.17, 28), (4.5, 107)):
        ended = command("scenes", "preview", "film.json", "--at", at, "-o", "frames/one.png")
        assert ended.returncode == 0, ended.stderr
        picture = read_image(command.folder / "frames" / "one.png")[..., :3].astype(int)
        with av.open(report["result"]["video"]) as film:
            frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
        assert picture.shape == (480, 854, 3)
        assert np.abs(picture - frames[number]).mean() < 1.5
        others = [np.abs(picture - frames[(number + step) % 108]).mean() for step in (12, 24)]
        assert min(others) > 10
    after = command("scenes", "preview", "film.json", "--at", 4.6, "-o", "late.png")
    assert (after.returncode, after.stdout) == (2, "")
    assert "there is no second 4.6: the film lasts 4.50 s" in after.stderr
    assert not (command.folder / "late.png").exists()
    none = command("scenes", "preview", "film.json", "--at", "nan", "-o", "late.png")
    assert (none.returncode, none.stderr.count("\n")) == (2, 1)


@together
def test_a_storyboard_shows_every_scene(ten: tuple[Command, dict[str, Any]]) -> None:
    command, _ = ten
    ended = command("scenes", "storyboard", "film.json", "-o", "sheet.png")
    assert ended.returncode == 0, ended.stderr
    sheet = read_image(command.folder / "sheet.png")[..., :3]
    for color in COLORS:
        share = (np.abs(sheet.astype(int) - rgb(color)).max(axis=2) <= 4).mean()
        assert share > 2 * 0.6 / 10 * 0.5, color  # two of the ten pictures, most of each, half of the sheet
    some = command("scenes", "storyboard", "film.json", "--scene", "s2", "-o", "one.jpg")
    assert "1 scene" in some.stderr
    assert command("scenes", "storyboard", "film.json", "-o", "sheet.pdf").returncode == 2


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"scenes": [scene(1) | {"duration": float("nan")}]}, "scenes[0] (s1).duration: must be a finite"),
        (
            {"scenes": [scene(1) | {"duraton": 1}]},
            "scenes[0] (s1).duraton: unknown field; did you mean duration?",
        ),
        (
            {"scenes": [scene(1) | {"duration": -1}]},
            "scenes[0] (s1).duration: must be greater than 0, not -1",
        ),
        (
            {"scenes": [scene(1) | {"layers": [{"type": "text", "text": "a", "start": 0.4, "end": 0.2}]}]},
            "scenes[0] (s1).layers[0]: end 0.2 is not after start 0.4",
        ),
        (
            {"scenes": [scene(1) | {"layers": [{"type": "text", "text": "a", "start": -0.4}]}]},
            "scenes[0] (s1).layers[0].start: must be at least 0",
        ),
        (
            {"scenes": [scene(1), scene(2)], "transition": {"type": "wipe", "duration": 0.6}},
            "transition: takes 0.6 s, but scenes[0] (s1) lasts 0.5 s",
        ),
        (
            {"scenes": [scene(1) | {"layers": [{"type": "text", "text": "x" * 10_001}]}]},
            "scenes[0] (s1).layers[0].text: ",
        ),
        ({"title": "x" * 501}, "title: "),
        ({"scenes": [scene(1), scene(1)]}, 'scenes[1] (s1).id: "s1" is the id of scenes[0] as well'),
    ],
)
def test_a_wrong_document_is_a_wrong_call(renderkiln: Command, change: dict[str, Any], says: str) -> None:
    written(renderkiln, project([scene(1)]) | change)
    ended = renderkiln("render", "scenes", "film.json", "--out", renderkiln.out)
    assert ended.returncode == 2
    assert f"film.json: {says}" in ended.stderr
    assert all(line.startswith("renderkiln: ") for line in ended.stderr.splitlines())
    assert renderkiln.delivered() == []


def test_a_missing_file_is_a_failed_job(renderkiln: Command) -> None:
    background = {"type": "image", "file": "sky.png"}
    good, bad = project([scene(1)]), project([scene(1) | {"background": background}])
    written(renderkiln, good, "good.json")
    written(renderkiln, bad, "bad.json")
    reports = render(renderkiln, "bad.json", "good.json", status=1)
    assert [report["state"] for report in reports] == ["failed", "completed"]
    assert reports[0]["error"]["message"] == 'scenes[0] (s1).background.file: there is no file "sky.png"'
    assert reports[0]["artifacts"] == []
    twice = renderkiln("render", "scenes", "good.json", "--scene", "s1", "--scene", "s1")
    assert (twice.returncode, twice.stdout) == (2, "")
    assert "a scene is named twice by --scene" in twice.stderr


def test_an_output_folder_that_nobody_may_write_into_is_told(renderkiln: Command) -> None:
    written(renderkiln, project([scene(1)]))
    renderkiln.out.mkdir(mode=0o555)
    call = ("render", "scenes", "film.json", "--quality", "draft", "--out", renderkiln.out, "-q")
    ended = renderkiln(*call, humble=True)
    renderkiln.out.chmod(0o755)
    assert ended.returncode in (1, 2)
    assert str(renderkiln.out) in ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert renderkiln.delivered() == []


def test_names_that_mean_something_elsewhere_mean_nothing_here(renderkiln: Command) -> None:
    folder = renderkiln.folder / "-a; $(b) 'c' %d 🎬"
    folder.mkdir()
    write_wav(folder / "夜 & [x]:'y'.wav", tune(1.0))
    document = project([scene(1)], music="夜 & [x]:'y'.wav", title="-i; $(reboot) 夜")
    (folder / "-f 'ilm'.json").write_text(json.dumps(document), encoding="utf-8")
    (report,) = render(renderkiln, f"{folder}/-f 'ilm'.json")
    assert report["artifacts"][0]["name"].endswith("_i_reboot_夜_480p_v1.mp4")
    info = probe(Path(report["result"]["video"]))
    assert info.tags["title"] == "-i; $(reboot) 夜"
    assert info.audio is not None


def test_a_project_that_changes_while_it_is_rendered_is_rendered_as_it_was(
    renderkiln: Command, percent: Percent
) -> None:
    written(renderkiln, project([scene(n) for n in range(1, 6)]))
    call = ("render", "scenes", "film.json", "--quality", "draft", "--out", "out", "-o", "json")
    process = renderkiln.start(*call)
    percent(process, 10)
    (renderkiln.folder / "film.json").write_text("no more")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    (report,) = json.loads(out)
    assert report["result"]["frames"] == 60
