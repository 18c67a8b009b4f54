"""Clips become variations, as a user asks for them; what the files hold is decoded and measured here."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

import clips
from renderkiln.media.frames.image import read_image

from .conftest import Command

DRAFT = ("--quality", "draft")


def vary(renderkiln: Command, *arguments: object, status: int = 0) -> list[dict[str, Any]]:
    """Render variations; the reports of all jobs."""
    call = ("render", "variations", *arguments, *DRAFT, "--out", renderkiln.out, "-o", "json")
    ended = renderkiln(*call)
    assert ended.returncode == status, ended.stderr
    found: list[dict[str, Any]] = json.loads(ended.stdout)
    return found


def frames_of(path: str) -> list[av.VideoFrame]:
    with av.open(path) as film:
        return list(film.decode(video=0))


def sound_of(path: str) -> tuple[npt.NDArray[np.float32], int]:
    """Samples of shape (channels, samples), and their rate."""
    with av.open(path) as film:
        blocks = [block.to_ndarray() for block in film.decode(audio=0)]
        return np.concatenate(blocks, axis=1), film.streams.audio[0].rate


def films(report: dict[str, Any]) -> list[str]:
    return [each["path"] for each in report["artifacts"] if each["kind"] == "video"]


# Of each clip: what its variations have. Width, height, frames a second, channels, and what is said of it.
ZOO: dict[str, tuple[Callable[[Path], Path], int, int, str, int, str]] = {
    "portrait": (clips.portrait, 180, 320, "30", 1, ""),
    "rotated": (clips.rotated, 180, 320, "30", 1, ""),
    "variable rate": (clips.variable_rate, 320, 180, "30", 1, "frame rate varies"),
    "odd": (clips.odd, 320, 180, "30", 1, "even size"),
    "anamorphic": (clips.anamorphic, 320, 180, "30", 1, "not square"),
    "interlaced": (clips.interlaced, 320, 180, "25", 1, "interlaced"),
    "10 bits": (clips.ten_bit, 320, 180, "30", 1, ""),
    "HDR": (clips.hdr_pq, 320, 180, "30", 1, "HDR"),
    "no sound": (clips.silent_film, 320, 180, "30", 0, ""),
    "5.1": (clips.five_one, 320, 180, "30", 6, ""),
    "late sound": (clips.late_sound, 320, 180, "30", 1, ""),
    "webm": (clips.webm, 320, 180, "30", 1, ""),
    "avi": (clips.avi, 320, 180, "25", 1, ""),
    "ts": (clips.transport_stream, 320, 180, "30", 1, ""),
    "tiny": (clips.tiny, 320, 180, "30", 1, ""),
}


together = pytest.mark.xdist_group("zoo")  # whoever takes one of them renders all clips


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The report of each clip of the zoo, all rendered in one call."""
    folder = tmp_path_factory.mktemp("zoo")
    paths = [make(folder) for make, *_ in ZOO.values()]
    reports = vary(Command(folder, folder / "home"), *paths, "--count", 2)
    return dict(zip(ZOO, reports, strict=True))


@together
@pytest.mark.parametrize("name", ZOO)
def test_any_real_clip_comes_out_plain(zoo: dict[str, dict[str, Any]], name: str) -> None:
    _, width, height, fps, channels, said = ZOO[name]
    report = zoo[name]
    told = " ".join(each["message"] for each in report["warnings"])
    assert (said in told) if said else not told, told
    for row, path in zip(report["result"]["variations"], films(report), strict=True):
        with av.open(path) as film:
            video = film.streams.video[0]
            assert (video.codec_context.name, video.pix_fmt) == ("h264", "yuv420p")
            assert (video.width, video.height, video.average_rate) == (width, height, Fraction(fps))
            assert len(film.streams.audio) == bool(channels)
        seconds = report["result"]["duration"] / row["effects"].get("speed", 1)
        frames = frames_of(path)
        assert abs(len(frames) - seconds * Fraction(fps)) <= 1
        expected = [float(number / Fraction(fps)) for number in range(len(frames))]
        assert [_time(frame) for frame in frames] == pytest.approx(expected, abs=1e-4)
        if channels:
            samples, rate = sound_of(path)
            assert samples.shape[0] == channels
            assert abs(samples.shape[1] / rate - len(frames) / Fraction(fps)) < 0.022  # one block of AAC


@together
def test_the_index_comes_first(zoo: dict[str, dict[str, Any]]) -> None:
    data = Path(films(zoo["5.1"])[0]).read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")


def test_a_phones_film_stands_upright(renderkiln: Command) -> None:
    lying = clips.still(renderkiln.folder / "lying.mp4", clips.corners(), *clips.X264, frames=30)
    turned = renderkiln.folder / "phone.mp4"
    clips.ffmpeg(turned, "-display_rotation", "-90", "-i", str(lying), "-c", "copy")
    (report,) = vary(
        renderkiln, turned, "--count", 1, "--only", "", "--with", "zoom=1", "--min-difference", 0
    )
    picture = frames_of(films(report)[0])[10].to_ndarray(format="rgb24")
    assert picture.shape == (320, 180, 3)
    # Turned clockwise, what was at the left bottom (blue) is at the left top.
    top_left, top_right = picture[20, 20].astype(int), picture[20, -20].astype(int)
    assert top_left[2] > 150 > top_left[0]
    assert top_right[0] > 150 > top_right[2]


@pytest.mark.parametrize("speed", [0.95, 1.05])
def test_flash_and_click_stay_together(renderkiln: Command, speed: float) -> None:
    clip = clips.click_and_flash(renderkiln.folder, seconds=8)
    (report,) = vary(renderkiln, clip, "--count", 1, "--with", f"speed={speed}", "--with", "zoom=2")
    (path,) = films(report)
    flashes = _flashes(frames_of(path))
    clicks = _clicks(*sound_of(path))
    expected = [second / speed for second in range(1, 8)]
    assert flashes[-7:] == pytest.approx(expected, abs=1 / 30)
    assert clicks[-7:] == pytest.approx(flashes[-7:], abs=0.02 + 1 / 60)  # a flash is a frame long
    assert clicks[-7:] == pytest.approx(expected, abs=0.02)


def _time(frame: av.VideoFrame) -> float:
    assert frame.time is not None
    return frame.time


def _flashes(frames: Sequence[av.VideoFrame]) -> list[float]:
    """When the picture turns white, in seconds."""
    light = [float(frame.to_ndarray(format="gray").mean()) for frame in frames]
    times = [_time(frame) for frame in frames]
    return [
        time for before, now, time in zip(light, light[1:], times[1:], strict=False) if now > 150 > before
    ]


def _clicks(samples: npt.NDArray[np.float32], rate: int) -> list[float]:
    """When it clicks, in seconds."""
    loud = np.flatnonzero(np.abs(samples[0]) > 0.25 * np.abs(samples[0]).max())
    starts = loud[np.flatnonzero(np.diff(loud, prepend=-rate) > rate // 4)]
    return [float(start / rate) for start in starts]


def test_all_are_different_and_the_report_says_how_much(renderkiln: Command) -> None:
    clip = clips.plain(renderkiln.folder, seconds=3.0)
    (report,) = vary(renderkiln, clip, "--count", 5, "--intensity", "subtle", "--without", "speed")
    names = [Path(path).name for path in films(report)]
    rows = report["result"]["variations"]
    assert names == [f"plain_var{n}_{row['id']}.mp4" for n, row in enumerate(rows, 1)]
    assert len({json.dumps(row["effects"]) for row in rows}) == 5
    assert all(row["words"] and row["sha256"] and row["size"] for row in rows)
    assert [each["facts"].get("effects") for each in report["artifacts"][:5]] == [
        row["effects"] for row in rows
    ]
    written = json.loads((Path(report["result"]["folder"]) / "report.json").read_text())
    told = written["differences"]["rows"]
    looks = [_look(path) for path in [str(clip), *films(report)]]
    for i, one in enumerate(looks):
        for j, other in enumerate(looks[:i]):
            seen = float(np.abs(one - other).mean())
            assert seen > 1.5
            assert told[i][j] == pytest.approx(seen, rel=0.35, abs=0.5)  # at other moments and a larger size


def _look(path: str) -> npt.NDArray[np.float32]:
    """Some frames of it, small, as it is shown."""
    frames = frames_of(path)[5::20]
    small = [frame.reformat(width=160, height=90, format="yuv420p").to_ndarray() for frame in frames]
    return np.stack(small).astype(np.float32)


@together
def test_a_contact_sheet_shows_clip_and_variations(zoo: dict[str, dict[str, Any]]) -> None:
    (sheet,) = (each["path"] for each in zoo["portrait"]["artifacts"] if each["kind"] == "contact-sheet")
    picture = read_image(Path(sheet))
    assert picture.shape[1] >= 1000
    assert picture[..., :3].std() > 20


def test_more_of_a_clip_and_a_clip_named_twice(renderkiln: Command) -> None:
    clip = clips.plain(renderkiln.folder)
    first, twice = vary(renderkiln, clip, clip, "--count", 2)
    (more,) = vary(renderkiln, clip, "--count", 2, "--skip", 4)
    rows = [*first["result"]["variations"], *twice["result"]["variations"], *more["result"]["variations"]]
    assert [row["index"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert len({row["id"] for row in rows}) == 6
    assert len({each["result"]["folder"] for each in (first, twice, more)}) == 3


def test_the_same_call_makes_the_same_files(renderkiln: Command) -> None:
    clip = clips.plain(renderkiln.folder)
    (one,) = vary(renderkiln, clip, "--count", 2, "--seed", 9)
    (other,) = vary(renderkiln, clip, "--count", 2, "--seed", 9)
    assert [each["sha256"] for each in one["artifacts"]] == [each["sha256"] for each in other["artifacts"]]


def test_a_bad_clip_costs_its_own_variations_only(renderkiln: Command) -> None:
    good, other = clips.plain(renderkiln.folder), clips.plain(renderkiln.folder, "other.mp4")
    bad = [
        clips.cut_off(renderkiln.folder),
        clips.sound_only(renderkiln.folder),
        renderkiln.folder / "no.mp4",
    ]
    reports = vary(renderkiln, good, *bad, other, "--total", 7, status=1)
    assert [report["state"] for report in reports] == ["completed", "failed", "failed", "failed", "completed"]
    assert [len(films(report)) for report in reports] == [2, 0, 0, 0, 1]
    words = [report["error"]["message"] for report in reports[1:4]]
    assert "cut off" in words[0]
    assert "sound only" in words[1]
    assert "no such file" in words[2]
    assert not [path for path in renderkiln.out.iterdir() if not path.is_dir() or path.name.startswith(".")]


def test_a_batch_of_which_one_clip_failed_is_completed_and_says_so(renderkiln: Command) -> None:
    clip, bad = clips.plain(renderkiln.folder), renderkiln.folder / "bad.mp4"
    bad.write_bytes(b"\0" * 5000)
    call = ("submit", "variations", clip, bad, "--count", 2, *DRAFT, "--out", renderkiln.out, "-o", "json")
    batch = json.loads(renderkiln(*call).stdout)["batchId"]
    assert renderkiln("worker", "--idle-timeout", 2).returncode == 0
    shown = json.loads(renderkiln("batches", "show", batch, "-o", "json").stdout)
    counts = shown["counts"]
    assert (shown["state"], counts["completed"], counts["failed"]) == ("completed", 1, 1)
    sheet = renderkiln("jobs", "show", f"{batch}-1").stdout
    assert "plain_var1_" in sheet


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--count", "0"], "not in the range"),
        (["--count", "10000"], "not in the range"),
        (["--with", "zom"], "did you mean zoom"),
        (["--with", "zoom=99"], "goes from 0 to 20"),
        (["--with", "zoom=nan"], "outside"),
        (["--with", "zoom=2", "--with", "crop=2"], "exclude each other"),
        (["--only", "", "--count", "2"], "at most 1"),
        (["--only", "flip", "--count", "3"], "at most 1"),
        (["--count", "2", "--total", "4"], "one of the two"),
        (["--with", "zoom=1..x"], "narrowed"),
        (["--with", "zoom", "--without", "zoom"], "named twice"),
    ],
)
def test_a_wrong_call_is_told_before_anything_is_made(
    renderkiln: Command, arguments: list[str], said: str
) -> None:
    clip = clips.plain(renderkiln.folder)
    ended = renderkiln("render", "variations", clip, *arguments, "--out", renderkiln.out)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert not renderkiln.out.exists()


def test_a_clip_over_the_limit_is_refused_at_once(renderkiln: Command) -> None:
    clip = clips.plain(renderkiln.folder)
    call = ("render", "variations", clip, "--out", renderkiln.out, "-o", "json")
    (report,) = json.loads(renderkiln(*call, env={"RENDERKILN_MAX_DURATION": "1"}).stdout)
    assert report["error"]["code"] == "UNSUITABLE"
    assert "setting max_duration" in report["error"]["message"]


def test_effects_that_nobody_sees_make_no_variations(renderkiln: Command) -> None:
    clip = clips.plain(renderkiln.folder)
    (report,) = vary(renderkiln, clip, "--count", 2, "--only", "volume,bass", status=1)
    assert "none could be found" in report["error"]["message"]
    assert not renderkiln.out.exists() or not list(renderkiln.out.iterdir())


def test_without_any_effect_there_is_one_plain_copy(renderkiln: Command) -> None:
    clip = clips.plain(renderkiln.folder)
    (report,) = vary(renderkiln, clip, "--count", 1, "--only", "", "--fps", 25, "--resolution", "360p")
    assert report["result"]["variations"][0]["words"] == "as it is"
    with av.open(films(report)[0]) as film:
        assert film.streams.video[0].average_rate == 25
        assert film.streams.video[0].height == 180  # nothing is enlarged
        assert set(film.metadata) & {"title", "comment"} == {"title", "comment"}


def test_names_that_mean_something_elsewhere_mean_nothing_here(renderkiln: Command) -> None:
    clip = clips.plain(renderkiln.folder)
    strange = renderkiln.folder / "-a; [v] 'x' %d, 🎬.mp4"
    shutil.copyfile(clip, strange)
    (report,) = vary(renderkiln, "--count", 1, f"./{strange.name}")
    assert Path(films(report)[0]).name.startswith("a_v_x_d_var1_")


def test_all_effects_are_listed(renderkiln: Command) -> None:
    listed = json.loads(renderkiln("effects", "list", "-o", "json").stdout)
    assert {"zoom", "flip", "speed", "warmth", "volume"} <= {each["name"] for each in listed}
    assert "with flip" in renderkiln("effects", "list").stdout
