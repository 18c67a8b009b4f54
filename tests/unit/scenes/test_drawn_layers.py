"""Layers as people see them: at their place, whole, in one piece while they move."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import studios
from renderkiln.media.audio.bars import Bars
from renderkiln.media.audio.features import BANDS
from renderkiln.media.captions import Cue
from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.media.frames.image import write_image
from studios import Film, film, layered

CANVAS = Canvas(240, 136, Fraction(20))
LARGE = Canvas(854, 480, Fraction(10))
BOX: dict[str, Any] = {"type": "shape", "width": 700, "height": 300}
TEXT: dict[str, Any] = {"type": "text", "text": "Hamburg flag", "style": "title"}
BLACK, WHITE = 16, 235
Luma = npt.NDArray[np.int16]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pictures")
    studios.picture(made / "sky.png")
    write_image(made / "grey.png", np.full((60, 100, 3), 128, np.uint8))
    return made


def luma(drawn: Film, n: int = 0) -> Luma:
    return drawn.frame(n).y.astype(np.int16)


def ink(drawn: Film, n: int = 0, least: int = 8) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is not black."""
    seen = luma(drawn, n) - BLACK > least
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def middle(drawn: Film, n: int = 0) -> tuple[float, float]:
    """Of what is not black, by weight."""
    weight = np.abs(luma(drawn, n) - BLACK).astype(float)
    y, x = np.indices(weight.shape) + 0.5
    return float((weight * x).sum() / weight.sum()), float((weight * y).sum() / weight.sum())


@settings(max_examples=40)
@given(width=st.integers(3, 1200), height=st.integers(3, 900), lines=st.sampled_from([480, 720, 1080, 136]))
def test_a_rectangle_reaches_the_edges_of_the_frame_sharply(width: int, height: int, lines: int) -> None:
    canvas = Canvas(2 * round(lines * 8 / 9), lines, Fraction(10))
    corner = {**BOX, "width": width, "height": height, "anchor": "bottom-right", "full_bleed": True}
    frame = layered(corner, canvas=canvas).frame(0)
    across, down = (max(1, round(side * lines / 1080)) for side in (width, height))
    seen = np.full_like(frame.y, BLACK)
    seen[-down:, -across:] = WHITE
    assert (frame.y == seen).all()


@pytest.mark.parametrize("kind", ["progress", "waveform", "shape"])
def test_what_lies_at_the_bottom_lies_at_the_bottom(kind: str) -> None:
    layer = {"type": kind, "anchor": "bottom", "full_bleed": True, "width": "100%", "height": 13}
    frame = layered(layer, canvas=LARGE).frame(9)
    assert frame.y[-1, LARGE.width // 2 - 60 :].max() == WHITE


def test_a_bar_fills_up_to_its_end() -> None:
    bar = {"type": "progress", "of": "scene", "height": 60, "track": "#333333", "anchor": "center"}
    drawn = layered(bar)
    reached = [int((luma(drawn, n)[45] > 200).sum()) for n in range(10)]
    assert reached == [16 * (n + 1) for n in range(10)]


def test_a_bar_that_grows_keeps_its_share() -> None:
    zoom = {"type": "zoom", "scale": 0.5, "duration": 1, "easing": "linear"}
    bar = {"type": "progress", "of": "scene", "height": 200, "track": "#404040", "anchor": "center"}
    row = luma(layered({**bar, "enter": zoom}, canvas=CANVAS), 9)[68]  # half-way
    assert (row > row.max() - 5).sum() / (row > BLACK).sum() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("motion", [{"type": "wipe"}, {"type": "zoom", "scale": 0}])
def test_bars_of_sound_come_in_as_others_do(motion: dict[str, Any]) -> None:
    waveform = {"type": "waveform", "bars": 12, "height": 400}
    whole = ink(layered(waveform))
    half = ink(layered({**waveform, "enter": {**motion, "duration": 1, "easing": "linear"}}), 5)
    if motion["type"] == "zoom":
        assert half[0] + half[2] == pytest.approx(whole[0] + whole[2], abs=4)
        assert half[1] + half[3] == pytest.approx(whole[1] + whole[3], abs=4)
    assert half[2] - half[0] == pytest.approx((whole[2] - whole[0]) / 2, abs=6)


def test_a_bar_of_silence_is_a_dot() -> None:
    drawn = layered({"type": "waveform", "bars": 3, "width": 900, "height": 800}, canvas=LARGE)
    silent = replace(drawn.studio, bars={"mix": Bars.steady(np.zeros(BANDS, np.float32), 1)})
    left, top, right, bottom = ink(replace(drawn, studio=silent))
    assert bottom - top == pytest.approx(0.6 * 900 * 480 / 1080 / 3, abs=2)
    assert right - left == pytest.approx(400 - 0.4 * 400 / 3, abs=4)


@pytest.mark.parametrize("rotation", [1, 17, 45, 90, 123, 180, -30, 360])
@pytest.mark.parametrize("layer", [
    {**BOX, "shadow": None},
    {**BOX, "shape": "ellipse"},
    {**BOX, "shape": "line", "width": 500, "height": -200, "stroke": {"width": 30, "color": "white"}},
    {"type": "image", "file": "grey.png", "width": 500},
    {"type": "text", "text": "o", "size": 20, "box": {"color": "white", "padding": 200}, "color": "white"},
    {"type": "progress", "color": "white", "track": "white", "height": 200, "width": 600, "anchor": "center"},
], ids=["box", "ellipse", "line", "image", "text", "progress"])  # fmt: skip
def test_turning_leaves_the_middle_where_it_is(layer: dict[str, Any], rotation: int, folder: Path) -> None:
    at = {"x": 100, "y": -50}
    straight = layered({**layer, **at}, folder=folder, canvas=CANVAS)
    turned = layered({**layer, **at, "rotation": rotation}, folder=folder, canvas=CANVAS)
    assert middle(turned) == pytest.approx(middle(straight), abs=0.6)
    assert turned.warnings == []


def test_bars_of_sound_are_turned_clockwise() -> None:
    waveform = {"type": "waveform", "bars": 12, "height": 300, "width": 800}
    left, top, right, bottom = ink(layered({**waveform, "rotation": 90}, canvas=CANVAS))
    assert (right - left, bottom - top) == pytest.approx((300 * 136 / 1080, 800 * 136 / 1080), abs=4)
    assert middle(layered({**waveform, "rotation": 90}, canvas=CANVAS))[1] > 68 + 5  # high tones are lower


@pytest.mark.parametrize("layer", [BOX, TEXT, {"type": "image", "file": "grey.png", "width": 400}],
                         ids=["shape", "text", "image"])  # fmt: skip
@pytest.mark.parametrize("rotation", [0, 90, 180])
def test_light_does_not_turn_with_a_layer(layer: dict[str, Any], rotation: int, folder: Path) -> None:
    shadow = {"color": "white", "x": 0, "y": 150, "blur": 0}
    dark = {**layer, "color": "#010101"} if layer["type"] != "image" else {**layer, "opacity": 1}
    plain, lit = (
        layered({**dark, "rotation": rotation, "shadow": each}, folder=folder, canvas=CANVAS)
        for each in (None, shadow)
    )
    difference = np.abs(luma(lit) - luma(plain)).astype(float)
    y, x = np.indices(difference.shape) + 0.5
    at = (difference * x).sum() / difference.sum(), (difference * y).sum() / difference.sum()
    assert at[0] == pytest.approx(120, abs=3)
    assert at[1] > 68 + 10


@pytest.mark.parametrize("layer", [
    {**BOX, "radius": 40, "stroke": {"width": 20}},
    {**TEXT, "stroke": {"width": 10, "color": "#884400"}},
    {"type": "image", "file": "sky.png", "width": 600, "radius": 50},
    {"type": "image", "file": "sky.png", "width": 600, "radius": 50, "ken_burns": {"end": {}}},
    {"type": "waveform", "bars": 12, "height": 400},
    {"type": "progress", "height": 301, "radius": 50, "width": "50%", "anchor": "center", "track": "#0000ff",
     "of": "film", "color": "#0000ff"},
], ids=["shape", "text", "image", "drift", "waveform", "progress"])  # fmt: skip
@pytest.mark.parametrize("motion", [
    {"type": "fade"}, {"type": "zoom", "scale": 0.7}, {"type": "rise", "distance": 200},
    *({"type": "slide", "direction": side} for side in ("left", "top")),
    *({"type": "wipe", "direction": side} for side in ("right", "bottom")),
], ids=lambda each: each["type"])  # fmt: skip
def test_nothing_jumps_where_a_motion_ends(
    layer: dict[str, Any], motion: dict[str, Any], folder: Path
) -> None:
    way = {**motion, "duration": 0.5, "easing": "out-sine"}
    drawn = layered(
        {**layer, "enter": way, "x": 33, "y": -17}, folder=folder, canvas=CANVAS, background="#224466"
    )
    frames = [luma(drawn, n) for n in range(12)]
    steps = [float(np.abs(after - before).mean()) for before, after in pairwise(frames)]
    assert steps[10] == 0  # it is at rest
    assert steps[9] <= max(steps[8], steps[7]) + 0.4  # between pixels all is a little softer


@pytest.mark.parametrize("style", [{}, {"rotation": 20}, {"box": {"padding": 23, "per_line": True}},
                                   {"stroke": {"width": 11}}, {"align": "center"}])  # fmt: skip
def test_a_text_does_not_move_while_it_is_written(style: dict[str, Any]) -> None:
    text = {**TEXT, "text": "ago, Hlyf\nmost ÅÇ", **style, "enter": {"type": "typewriter", "duration": 0.8}}
    drawn = layered({**text, "x": 31, "y": 17}, canvas=LARGE, background="#000080")
    whole = luma(drawn, 9)
    for n in range(1, 8):
        written = (partly := luma(drawn, n)) > 100  # letters, not what is behind them
        assert written.any()
        assert np.abs(partly - whole)[written].max() <= 40  # where the next letter touches


@pytest.mark.parametrize(("anchor", "x"), [("left", 0), ("right", 0), ("right", -200), ("left", 150)])
def test_a_text_ends_where_it_is_anchored(anchor: str, x: int) -> None:
    left, _, right, _ = ink(layered({**TEXT, "text": "HIM", "anchor": anchor, "x": x}, canvas=LARGE))
    unit = 480 / 1080
    if anchor == "left":
        assert left == pytest.approx(0.05 * 854 + x * unit, abs=6)  # the side bearing of an H
    else:
        assert right == pytest.approx(0.95 * 854 + x * unit, abs=6)


def test_lines_end_together_at_the_right() -> None:
    text = {**TEXT, "text": "HHHHHH\nHI", "align": "end", "anchor": "right"}
    seen = luma(layered(text, canvas=LARGE)) > 100
    rows = np.flatnonzero(seen.any(axis=1))
    ends = [int(np.flatnonzero(seen[row])[-1]) for row in (rows[5], rows[-5])]
    assert ends[0] == pytest.approx(ends[1], abs=1)


@pytest.mark.parametrize("text", ["W" * 70, "Donaudampfschifffahrtsgesellschaft" * 3, "i" * 400, "字" * 90])
def test_a_long_word_stays_within_the_safe_area(text: str) -> None:
    left, top, right, bottom = ink(drawn := layered({**TEXT, "text": text}, canvas=LARGE))
    assert left >= 0.05 * 854 - 2
    assert right <= 0.95 * 854 + 2
    assert top >= 0.05 * 480 - 2
    assert bottom <= 0.95 * 480 + 2
    assert drawn.warnings == []


@pytest.mark.parametrize("layer", [{**TEXT, "text": "word " * 2000}, {"type": "captions"}])
def test_what_is_far_too_long_is_shortened_and_told(layer: dict[str, Any]) -> None:
    scene = {"layers": [layer], "voice": "x"}
    drawn = film(scene, canvas=LARGE, spoken={"scene-1": [Cue(0, 1, "word " * 2000)]})
    _, top, _, bottom = ink(drawn)
    assert top >= 0.05 * 480 - 2
    assert bottom <= 0.95 * 480 + 2
    (told,) = drawn.warnings
    assert told.startswith("The scene scene-1, layers[0]: 'word word")
    assert "does not fit and is cut off" in told


def test_missing_glyphs_are_told() -> None:
    drawn = layered({**TEXT, "text": "a\U00013000b"}, canvas=CANVAS)
    assert drawn.warnings == ["The scene scene-1, layers[0]: no font draws \U00013000, which is left out"]


def test_what_is_missing_is_told_of_every_scene() -> None:
    scenes = [{"layers": [{**TEXT, "text": f"{each}!"}]} for each in ("\U00013000", "\U00012000")]
    told = film(*scenes, canvas=CANVAS).warnings
    assert len(told) == 2
    assert "\U00013000" in told[0]
    assert "scene-2" in told[1]


def test_a_turned_title_keeps_within_the_frame() -> None:
    title = {**TEXT, "style": "title", "text": "A title that is turned, and long enough to fill a line"}
    for rotation in (0, 3, -20, 45, 90, 135, 270):
        drawn = layered({**title, "rotation": rotation}, canvas=LARGE)
        left, top, right, bottom = ink(drawn)
        assert drawn.warnings == []
        assert min(left, top) > 0
        assert right < 854 - 1
        assert bottom < 480 - 1


def test_a_text_beyond_the_frame_is_told() -> None:
    drawn = layered(
        {**TEXT, "text": "Beyond the edge", "anchor": "right", "x": 600, "width": 900}, canvas=LARGE
    )
    assert drawn.warnings == ["The scene scene-1, layers[0]: 'Beyond the edge' reaches beyond the frame"]


def test_a_long_cue_comes_back_after_a_short_one() -> None:
    cues = [Cue(0, 150, "long"), Cue(70, 72, "short")]
    scene = {"layers": [{"type": "captions"}], "voice": "x", "duration": 160}
    drawn = film(scene, canvas=CANVAS, spoken={"scene-1": cues})
    pictures = {at: drawn.frame(round(at * CANVAS.fps)).y.tobytes() for at in (10, 71, 73, 149, 155)}
    assert pictures[73] == pictures[149] == pictures[10]
    assert len(set(pictures.values())) == 3


def test_a_motion_that_takes_no_time_hides_nothing() -> None:
    motion = {"type": "fade", "duration": 0}
    drawn = layered({**TEXT, "text": "there", "enter": motion, "exit": motion}, canvas=CANVAS)
    assert drawn.frame(0).y.tobytes() == drawn.frame(5).y.tobytes()
    assert drawn.frame(0).y.max() > 150


@pytest.mark.parametrize("layer", [
    {**BOX, "color": "black", "anchor": "right", "full_bleed": True},
    {**TEXT, "color": "black", "anchor": "top-right", "x": 60},
    {"type": "image", "file": "grey.png", "width": 500, "anchor": "bottom-left", "full_bleed": True},
    {"type": "image", "file": "grey.png", "width": 500, "ken_burns": "in", "anchor": "top-left"},
], ids=["shape", "text", "image", "drift"])  # fmt: skip
def test_a_shadow_fades_out_and_is_not_cut_off(layer: dict[str, Any], folder: Path) -> None:
    shadow = {"color": "black", "x": 30, "y": -20, "blur": 120}
    given: dict[str, Any] = {"background": "white", "folder": folder, "canvas": LARGE}
    free = luma(layered(layer, **given)) == WHITE
    shaded = luma(layered({**layer, "shadow": shadow}, **given))
    assert (free & (shaded < WHITE - 2)).sum() > 500
    for axis in (0, 1):
        size = free.shape[axis]
        beside = free.take(range(1, size), axis) & free.take(range(size - 1), axis)
        assert np.abs(np.diff(shaded, axis=axis))[beside].max() <= 7


def test_a_picture_that_drifts_is_as_large_as_one_that_does_not(folder: Path) -> None:
    places: list[dict[str, Any]] = [
        {"width": 400, "height": 400},
        {"width": 400, "height": 400, "fit": "cover"},
        {"height": 300},
        {"width": "30%"},
        {},
    ]
    for place in places:
        layer = {"type": "image", "file": "grey.png", **place}
        still, drifting = (
            ink(layered({**layer, **drift}, folder=folder, canvas=LARGE))
            for drift in ({}, {"ken_burns": "in"})
        )
        assert drifting == pytest.approx(still, abs=1), place


def test_a_drift_of_any_zoom_can_be_drawn(folder: Path) -> None:
    zoomed = {"type": "image", "file": "sky.png", "ken_burns": {"start": {"zoom": 4}, "end": {"zoom": 4}}}
    drawn = layered(
        {**zoomed, "width": 400}, background=zoomed, folder=folder, canvas=Canvas(1920, 1080, Fraction(10))
    )
    assert isinstance(drawn.frame(5), Frame)
