"""How layers, motions, transitions and backgrounds look, several of them side by side in a stored frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clips
import studios
from renderkiln.media.captions import Cue
from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.media.frames.image import read_image
from studios import film, layered

Golden = Callable[[str, Frame], None]

pytestmark = pytest.mark.golden

CANVAS = Canvas(320, 180, Fraction(10))
TILE = Canvas(112, 64, Fraction(10))
SKY: dict[str, Any] = {"type": "image", "file": "sky.png"}
DUSK = {"type": "gradient", "colors": ["#16213e", "#5f4b8b", "#e69a8d"], "angle": 160}
CARD: dict[str, Any] = {
    "type": "shape",
    "width": 800,
    "height": 440,
    "radius": 80,
    "color": "#ffb03b",
    "stroke": {"color": "white", "width": 36},
    "shadow": {"x": 20, "y": 40, "blur": 50},
}
LINE, RED_LINE = {"color": "white", "width": 16}, {"color": "#d1495b", "width": 8}
BESIDE = {"x": 8, "y": 8, "blur": 14}
BELOW = {"color": "black", "y": 12}
SOFT = {"y": 20, "blur": 40, "color": "black"}
SIDES = ["left", "right", "top", "bottom"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("assets")
    sky = read_image(studios.picture(made / "sky.png", 200, 150))
    clips.still(made / "sky.mp4", sky[..., :3], "-vf", clips.BT709, *clips.X264, "-qp", "1", frames=15)
    return made


def tiled(frames: Sequence[Frame], columns: int) -> Frame:
    """Frames of TILE's size side by side, row after row."""
    rows = [frames[first : first + columns] for first in range(0, len(frames), columns)]
    whole = Frame(Canvas(TILE.width * columns, TILE.height * len(rows), TILE.fps))
    for plane in ("y", "u", "v"):
        parts = [np.hstack([getattr(frame, plane) for frame in row]) for row in rows]
        getattr(whole, plane)[:] = np.vstack(parts)
    return whole


def test_texts(golden: Golden) -> None:
    texts: list[dict[str, Any]] = [
        {"text": "Title", "style": "title", "anchor": "top-left"},
        {"text": "Subtitle", "style": "subtitle", "anchor": "top-left", "y": 120, "color": "#ffd166"},
        {"text": "spaced", "uppercase": True, "letter_spacing": 0.3, "anchor": "top-left", "y": 220},
        {"text": "Outline", "style": "title", "stroke": RED_LINE, "anchor": "top-right"},
        {"text": "Shadow", "size": 90, "shadow": BESIDE, "anchor": "top-right", "y": 150},
        {"text": "In a box", "box": {"color": "#00000090", "padding": 30, "radius": 40}, "x": -500, "y": 20},
        {
            "text": "Boxes for\neach line of it",
            "size": 64,
            "align": "center",
            "line_height": 1.5,
            "box": {"color": "white", "per_line": True, "padding": 16, "radius": 16},
            "color": "#16213e",
            "y": 30,
            "x": 60,
        },
        {"text": "Turned", "size": 80, "rotation": -24, "x": 640, "y": 30, "shadow": BELOW},
        {"text": "Ragged\nat the end", "align": "end", "anchor": "bottom-right"},
        {"text": "مرحبا 世界 🎬", "size": 72, "anchor": "bottom-left"},
        {"text": "translucent", "color": "#ffffff80", "size": 72, "anchor": "bottom", "x": 20},
    ]  # fmt: skip
    layers = [{"type": "text", **each} for each in texts]
    golden("texts", layered(*layers, background=DUSK, canvas=Canvas(640, 360, Fraction(10))).frame(0))


def test_pictures(folder: Path, golden: Golden) -> None:
    placed: list[dict[str, Any]] = [
        {"width": 480, "anchor": "top-left"},
        {"width": 420, "height": 420, "fit": "cover", "radius": 60, "stroke": LINE},
        {"width": 480, "anchor": "top-right", "shadow": SOFT, "radius": 210},
        {"width": 440, "anchor": "bottom-left", "rotation": -12, "shadow": {"y": 30}, "radius": 30},
        {"width": 440, "anchor": "bottom-right", "ken_burns": "in", "radius": 40, "stroke": {"width": 12},
         "shadow": {"y": 24, "color": "black"}},
        {"height": 240, "anchor": "bottom", "opacity": 0.5},
    ]  # fmt: skip
    layers = [{**SKY, **each} for each in placed]
    golden("pictures", layered(*layers, background="#35506b", folder=folder, canvas=CANVAS).frame(6))


def test_a_clip(folder: Path, golden: Golden) -> None:
    clip = {"type": "video", "file": "sky.mp4", "width": 1100, "radius": 80}
    golden("clip", tiled([layered(clip, background=DUSK, folder=folder, canvas=TILE).frame(3)], 1))


def test_shapes(golden: Golden) -> None:
    shapes: list[dict[str, Any]] = [
        {**CARD, "width": 480, "height": 300, "anchor": "top-left", "stroke": None},
        {"shape": "ellipse", "width": 400, "height": 300, "gradient": DUSK_STOPS, "stroke": {"width": 20}},
        {**CARD, "width": 300, "height": 300, "radius": 20, "rotation": 30, "anchor": "right", "x": -100},
        {"shape": "line", "width": 600, "height": -200, "anchor": "bottom-left", "stroke": {"width": 24}},
        {"width": 500, "height": 120, "color": "#00a08080", "anchor": "bottom-right", "full_bleed": True},
    ]
    layers = [{"type": "shape", **each} for each in shapes]
    golden("shapes", layered(*layers, background="#ece9e4", canvas=CANVAS).frame(0))


DUSK_STOPS = {"kind": "radial", "colors": [{"color": "#ffd166", "at": 0.1}, "#d1495b", "#16213e"]}


def test_what_tells_of_time_and_sound(golden: Golden) -> None:
    layers = [
        {"type": "progress", "of": "scene", "height": 48, "color": "#ffd166"},
        {"type": "progress", "height": 60, "radius": 30, "width": "60%", "anchor": "top", "y": 60},
        {"type": "progress", "height": 60, "width": 700, "anchor": "right", "rotation": -90, "x": 240},
        {"type": "waveform", "bars": 24, "color": "#00d0a0", "height": 360},
        {"type": "captions", "y": -90, "size": 80},
    ]
    spoken = {"scene-1": [Cue(0, 0.6, "Before."), Cue(0.6, 2, "What is said, as it is said.")]}
    scene = {"background": "#16213e", "layers": layers, "voice": "x"}
    golden("moving", film(scene, canvas=CANVAS, spoken=spoken).frame(6))


@pytest.mark.parametrize("way", ["enter", "exit"])
def test_motions(way: str, golden: Golden) -> None:
    text = {"type": "text", "text": "Typed", "style": "title", "size": 300, "stroke": {"width": 24}}
    motions: list[dict[str, Any]] = [
        {"type": "fade"},
        {"type": "zoom", "scale": 0.3},
        *({"type": "rise", "direction": side, "distance": 300} for side in ("bottom", "left")),
        *({"type": "slide", "direction": side} for side in SIDES),
        *({"type": "wipe", "direction": side} for side in SIDES),
    ]
    timed = {"duration": 1, "easing": "linear"}
    moved = [(CARD, each) for each in motions]
    if way == "enter":
        moved += [(text, each) for each in ({"type": "typewriter"}, {"type": "rise"}, {"type": "zoom"})]
    frames = [
        layered({**layer, way: {**motion, **timed}}, background=DUSK, canvas=TILE, fps=24).frame(
            3 if way == "enter" else 6
        )
        for layer, motion in moved
    ]
    golden(f"motions-{way}", tiled(frames, 4 if len(frames) % 4 == 0 else 5))


def test_transitions(folder: Path, golden: Golden) -> None:
    changes: list[dict[str, Any]] = [
        {"type": "crossfade"},
        {"type": "zoom"},
        {"type": "dip", "color": "white"},
        *({"type": "wipe", "direction": side} for side in SIDES),
        *({"type": "slide", "direction": side} for side in SIDES),
    ]
    logo = {"file": "sky.png", "height": 260}
    frames = []
    for change in [*changes, {"type": "dip"}]:
        going = {"background": DUSK, "layers": [CARD], "transition": {**change, "easing": "linear"}}
        coming = {"background": SKY, "logo": False}
        made = film(going, coming, folder=folder, canvas=TILE, brand={"logo": logo})
        frames.append(made.frame(made.timeline.spans[1].start + 1))
    golden("transitions", tiled(frames, 4))


def test_backgrounds(folder: Path, golden: Golden) -> None:
    clip = {"type": "video", "file": "sky.mp4"}
    kinds: list[Any] = [
        "#d1495b",
        "#d1495b80",
        DUSK,
        {"type": "gradient", **DUSK_STOPS},
        SKY,
        {**SKY, "fit": "contain", "color": "#ffd166"},
        {**SKY, "dim": 0.5},
        {**SKY, "fit": "contain", "color": "#ffd166", "dim": 0.5},
        {**SKY, "ken_burns": {"end": {"zoom": 3, "x": 0.8, "y": 0.2}}},
        clip,
        {**clip, "fit": "contain", "color": "#ffd166"},
        {**clip, "fit": "contain", "color": "#ffd166", "dim": 0.5},
    ]
    frames = [layered(background=kind, folder=folder, canvas=TILE).frame(6) for kind in kinds]
    golden("backgrounds", tiled(frames, 4))
