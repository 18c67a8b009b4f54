"""Clips in scenes: in time, from any frame on, and no decoder is left behind."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clips
from renderkiln.domain.errors import Permanent
from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.media.frames.picture import to_rgb
from studios import Film, film, layered

pytestmark = pytest.mark.integration

CANVAS = Canvas(96, 54, Fraction(10))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("clips")
    clips.plain(made, "clip.mp4", seconds=0.5)
    coding = ("-vf", clips.BT709, *clips.X264, "-qp", "0")
    clips.still(made / "white.mp4", np.full((100, 100, 3), 255, np.uint8), *coding)
    return made


def in_sequence(drawn: Film, first: int = 0) -> list[tuple[bool, bytes]]:
    frame = Frame(drawn.canvas)
    with drawn.scene() as drawer:
        numbers = range(first, drawn.timeline.frames)
        return [(drawer.draw(frame, n), frame.buffer.tobytes()) for n in numbers]


@pytest.mark.parametrize("if_short", ["loop", "freeze"])
@pytest.mark.parametrize("as_layer", [True, False])
def test_a_clip_goes_on_where_it_was(if_short: str, as_layer: bool, folder: Path) -> None:
    clip: dict[str, Any] = {"type": "video", "file": "clip.mp4", "if_short": if_short}
    scene = {"layers": [{**clip, "start": 0.2, "width": "50%"}]} if as_layer else {"background": clip}
    drawn = film(scene, folder=folder, canvas=CANVAS)
    frames = in_sequence(drawn)
    for n, (_, shown) in enumerate(frames):
        assert drawn.frame(n).buffer.tobytes() == shown
    still = [n for n, (was_drawn, _) in enumerate(frames) if not was_drawn and n > 1]
    ends = 7 if as_layer else 5  # one frame more is asked of the decoder: there may be a picture in it
    assert still == ([] if if_short == "loop" else list(range(ends + 2, 10)))


def test_no_decoder_is_left_behind(folder: Path) -> None:
    clip = {"type": "video", "file": "clip.mp4", "if_short": "loop"}
    drawn = film({"background": clip, "layers": [{**clip, "width": "50%"}]}, folder=folder, canvas=CANVAS)
    frame = Frame(CANVAS)
    with drawn.scene() as drawer:
        for n in range(3):
            drawer.draw(frame, n)
        assert list(drawn.decoders.values()) == ["running", "running"]
    assert set(drawn.decoders.values()) == {"gone"}


def test_a_clip_that_is_not_seen_yet_is_not_opened(folder: Path) -> None:
    drawn = layered({"type": "video", "file": "clip.mp4", "start": 0.5}, folder=folder, canvas=CANVAS)
    drawn.frame(4)
    assert not drawn.decoders


def test_only_the_clip_is_dimmed_not_what_is_beside_it(folder: Path) -> None:
    background = {"type": "video", "file": "white.mp4", "fit": "contain", "color": "#00ff00", "dim": 0.6}
    rgb = to_rgb(film({"background": background}, folder=folder, canvas=CANVAS).frame(0))
    assert rgb[27, 48] == pytest.approx(102, abs=2)
    assert rgb[27, 3] == pytest.approx((0, 255, 0), abs=2)


def test_a_dimmed_clip_that_fills_the_frame_is_darker(folder: Path) -> None:
    background = {"type": "video", "file": "white.mp4", "dim": 0.6}
    rgb = to_rgb(film({"background": background}, folder=folder, canvas=CANVAS).frame(0))
    assert np.abs(rgb.astype(int) - 102).max() <= 2


def test_a_clip_that_is_to_be_turned_is_not_and_that_is_told(folder: Path) -> None:
    layer = {"type": "video", "file": "clip.mp4", "rotation": 90}
    drawn = layered(layer, folder=folder, canvas=CANVAS)
    assert drawn.warnings == ["The scene scene-1, layers[0]: clips are not turned"]


def test_a_clip_larger_than_memory_is_refused(folder: Path) -> None:
    layer = {"type": "video", "file": "clip.mp4", "width": 20000, "height": 20000, "fit": "cover"}
    drawn = layered(layer, folder=folder, canvas=Canvas(1920, 1080, Fraction(10)))
    with pytest.raises(Permanent, match=r"layers\[0\]: a clip cannot be shown at 20000x20000 pixels"):
        drawn.frame(0)
