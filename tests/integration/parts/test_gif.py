"""A gif of parts: every frame at its time, in colours near its own, in no more bytes than it may have."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from integration.parts.drawing import HEIGHT, WIDTH, Draw, brightness, flat, make_parts, numbered, rgb, shown
from renderkiln.media.errors import Unreadable
from renderkiln.media.ffmpeg.binary import find
from renderkiln.media.ffmpeg.gif import Look
from renderkiln.media.ffmpeg.run import run
from renderkiln.media.frames.canvas import Frame
from renderkiln.media.gif.blocks import pictures
from renderkiln.media.gif.film import Film, Made, Part, Workbench, make
from renderkiln.media.gif.fit import fit, ladder
from renderkiln.media.gif.join import Piece, join
from renderkiln.media.inspect import inspect
from renderkiln.media.probe import probe, probe_safely
from renderkiln.pipelines.delivery.verify import ExpectedFilm, faults

pytestmark = pytest.mark.integration
LENGTHS = (40, 4, 21)
FPS = Fraction(20)
LOOK = Look(WIDTH, HEIGHT)
RUN = partial(run, binary=find())


def film(folder: Path, draw: Draw, lengths: Sequence[int] = LENGTHS, fps: Fraction = FPS) -> Film:
    parts = make_parts(folder, find(), lengths, draw, codec="lossless", fps=fps)
    return Film([Part(path, length) for path, length in zip(parts, lengths, strict=True)], fps)


def made(film: Film, folder: Path, look: Look = LOOK) -> tuple[Path, Made]:
    path = folder / "film.gif"
    return path, make(film, look, path, Workbench(RUN, folder))


def expected(film: Film, result: Made) -> ExpectedFilm:
    return ExpectedFilm(
        width=result.look.width,
        height=result.look.height,
        fps=film.fps,
        frames=film.frames,
        codec="gif",
        sound_seconds=None,
        silent=True,
        tags={},
        cover=False,
        lively=False,
        pictures=result.pictures,
    )


@pytest.mark.parametrize("fps", [Fraction(10), Fraction(50, 3), Fraction(20), Fraction(50)])
def test_every_frame_at_its_time(fps: Fraction, tmp_path: Path) -> None:
    moving = film(tmp_path, numbered, fps=fps)
    path, result = made(moving, tmp_path)
    step = int(100 / fps)
    wanted = [brightness(part, n) for part, length in enumerate(LENGTHS) for n in range(length)]
    frames = list(shown(path))
    assert [(start, end) for start, end, _ in frames] == [(n * step, (n + 1) * step) for n in range(65)]
    for (_, _, picture), luma in zip(frames, wanted, strict=True):
        # the whole picture, lest what a frame leaves alone is wrong
        assert np.abs(picture[60:].mean((0, 1)) - rgb(luma, 128, 128)).max() < 2
    assert result == Made(LOOK, path.stat().st_size, 65)
    assert faults(inspect(path), expected(moving, result)) == []


def test_colours_of_every_part_are_its_own(tmp_path: Path) -> None:
    """Three parts of 200 colours each: one palette for all could not hold them."""
    rng = np.random.default_rng(4)
    colors = rng.integers((90, 104, 104), (170, 152, 152), (3, 200, 3))

    def patches(part: int, number: int) -> Frame:
        frame = flat(128)
        for index, (y, u, v) in enumerate(colors[part]):
            top, left = index // 20 * 18, index % 20 * 16
            frame.y[top : top + 18, left : left + 16] = y
            frame.u[top // 2 : top // 2 + 9, left // 2 : left // 2 + 8] = u
            frame.v[top // 2 : top // 2 + 9, left // 2 : left // 2 + 8] = v
        frame.y[:18, :16] = 30 + number
        return frame

    path, _ = made(film(tmp_path, patches, (8, 5, 11)), tmp_path)
    pictures = list(shown(path))
    assert len(pictures) == 24
    for number, (_, _, picture) in enumerate(pictures):
        part = 0 if number < 8 else 1 if number < 13 else 2
        for index in range(1, 200):
            top, left = index // 20 * 18, index % 20 * 16
            inner = picture[top + 5 : top + 13, left + 4 : left + 12].astype(float).mean((0, 1))
            assert np.abs(inner - rgb(*colors[part][index])).max() < 3


def test_a_picture_is_stored_once_while_it_stands_still(tmp_path: Path) -> None:
    def still(part: int, number: int) -> Frame:
        return flat(60 + 60 * part + (10 if number == 20 else 0), 100 + 20 * part, 150)

    standing = film(tmp_path, still)
    path, result = made(standing, tmp_path)
    times = [(start, end) for start, end, _ in shown(path)]
    assert times == [(0, 100), (100, 105), (105, 200), (200, 220), (220, 320), (320, 325)]
    assert result.pictures == 6
    assert faults(inspect(path), expected(standing, result)) == []
    wrong = expected(Film([*standing.parts, Part(tmp_path, 1)], FPS), result)
    assert faults(inspect(path), wrong) == ["its picture lasts 3.250 s instead of 3.300 s"]


def test_half_of_the_frames_last_as_long(tmp_path: Path) -> None:
    path, result = made(film(tmp_path, numbered), tmp_path, Look(WIDTH // 2, HEIGHT // 2, step=2))
    frames = list(shown(path))
    assert (result.pictures, frames[-1][1], frames[0][2].shape) == (20 + 2 + 11, 325, (90, 160, 3))
    assert [end - start for start, end, _ in frames] == [10] * 32 + [5]
    # every second frame of each part, from its first
    wanted = [brightness(part, n) for part, length in enumerate(LENGTHS) for n in range(0, length, 2)]
    for (_, _, picture), luma in zip(frames, wanted, strict=True):
        assert np.abs(picture[40:].mean((0, 1)) - rgb(luma, 128, 128)).max() < 2


def test_it_plays_for_ever_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path, _ = made(film(tmp_path, numbered), tmp_path)
    assert b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00" in path.read_bytes()
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "film.gif",
        *(f"part-{part}.mp4" for part in range(3)),
    ]


def test_rates_a_gif_cannot_have(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="30 frames per second"):
        made(Film([Part(tmp_path / "a.mp4", 3)], Fraction(30)), tmp_path)


def noisy(part: int, number: int) -> Frame:
    frame = flat(128)
    rng = np.random.default_rng(part * 100 + number)
    frame.y[:] = rng.integers(16, 235, frame.y.shape)
    frame.u[:] = rng.integers(16, 240, frame.u.shape)
    return frame


def test_the_best_that_fits_the_budget(tmp_path: Path) -> None:
    noise = film(tmp_path, noisy, (6, 2))
    rungs = ladder(noise, LOOK)
    sizes = [made(noise, tmp_path, rung)[1].bytes for rung in rungs]
    assert sizes == sorted(sizes, reverse=True)
    path = tmp_path / "small.gif"
    for rung, most in ((1, sizes[1]), (2, sizes[1] - 1), (4, sizes[4])):
        result = fit(noise, LOOK, most, path, Workbench(RUN, tmp_path))
        assert (result.look, result.bytes) == (rungs[rung], path.stat().st_size)
        assert faults(inspect(path), expected(noise, result)) == []


def test_a_budget_too_small_for_anything(tmp_path: Path) -> None:
    runs: list[object] = []
    noise, path = film(tmp_path, noisy, (6, 2)), tmp_path / "small.gif"
    bench = Workbench(lambda command: runs.append(RUN(command)), tmp_path)
    result = fit(noise, LOOK, 1000, path, bench)
    assert result.look == ladder(noise, LOOK)[-1]
    assert result.bytes == path.stat().st_size > 1000
    # two parts, two commands each: the first and the last gif, samples of it and of the four between
    assert len(runs) == (2 + 5) * 4


def test_it_is_a_gif_that_probe_knows(tmp_path: Path) -> None:
    path, _ = made(film(tmp_path, numbered), tmp_path)
    for info in (probe(path, gifs=True), probe_safely(path, gifs=True)):
        assert info.container == "gif"
        assert info.duration == pytest.approx(3.25)
        assert info.video is not None
        assert (info.video.codec, info.video.width, info.video.height, info.video.fps) == (
            "gif",
            WIDTH,
            HEIGHT,
            "20",
        )
    for read in (probe, probe_safely):
        with pytest.raises(Unreadable, match="not one of"):
            read(path)


@pytest.mark.parametrize("cut", [0.001, 0.3, 0.999])
def test_a_damaged_piece(cut: float, tmp_path: Path) -> None:
    path, _ = made(film(tmp_path, numbered, (4,)), tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: max(1, int(cut * len(content)))])
    with pytest.raises(Unreadable, match=r"film\.gif"):
        list(pictures(path))


def test_a_piece_with_frames_missing(tmp_path: Path) -> None:
    path, _ = made(film(tmp_path, numbered, (4,)), tmp_path)
    with pytest.raises(ValueError, match="longer"):
        join([Piece(path, [5] * 5)], tmp_path / "b.gif", WIDTH, HEIGHT)
