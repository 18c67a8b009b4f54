"""What has not changed is not drawn again, and nobody can tell."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import studios
from renderkiln.domain.errors import Permanent, UsageError
from renderkiln.media.captions import Cue
from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.media.frames.easing import Easing
from renderkiln.pipelines.scenes.document.motion import Direction
from renderkiln.pipelines.scenes.drawing.part import PartDrawer
from studios import Film, film, layered

TINY = Canvas(96, 54, Fraction(8))
BOX: dict[str, Any] = {"type": "shape", "width": 500, "height": 300, "color": "#ff8800"}
GRADIENT = {"type": "gradient", "colors": ["#102040", "#f0c080"], "angle": 120}
CUES = {"scene-1": [Cue(0.3, 0.9, "Good morning."), Cue(0.7, 1.6, "And good night.")]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pictures")
    studios.picture(made / "sky.png")
    return made


def in_sequence(drawn: Film, number: int = 0) -> list[tuple[bool, bytes]]:
    frame = Frame(drawn.canvas)
    frame.buffer[:] = 0
    with drawn.scene(number) as drawer:
        return [
            (drawer.draw(frame, n), frame.buffer.tobytes())
            for n in range(drawn.timeline.spans[number].frames)
        ]


def alone(drawn: Film, n: int, number: int = 0) -> bytes:
    frame = Frame(drawn.canvas)
    with drawn.scene(number) as drawer:
        assert drawer.draw(frame, n)
    return frame.buffer.tobytes()


def changes(drawn: Film) -> list[int]:
    """The frames that were drawn; all of them are right."""
    frames = in_sequence(drawn)
    assert [shown for _, shown in frames] == [alone(drawn, n) for n in range(len(frames))]
    return [n for n, (was_drawn, _) in enumerate(frames) if was_drawn]


TIMES = st.sampled_from([0, 0.25, 0.5, 0.8, 1.1])
MOTIONS = st.none() | st.fixed_dictionaries({
    "type": st.sampled_from(["fade", "slide", "rise", "zoom", "wipe"]),
    "duration": st.sampled_from([0, 0.1, 0.3]),
    "direction": st.none() | st.sampled_from(get_args(Direction)),
    "easing": st.sampled_from(get_args(Easing)),
})  # fmt: skip
KINDS: list[dict[str, Any]] = [
    BOX,
    {"type": "text", "text": "Ahoy", "style": "title", "shadow": {}},
    {"type": "text", "text": "Two\nlines", "box": {"per_line": True}, "rotation": 12},
    {"type": "image", "file": "sky.png", "width": "40%", "radius": 30, "opacity": 0.7},
    {"type": "image", "file": "sky.png", "width": "40%", "ken_burns": "in", "shadow": {}},
    {"type": "progress", "of": "scene", "height": 60, "radius": 30},
    {"type": "waveform", "bars": 9, "height": 500},
    {"type": "captions"},
]
BACKGROUNDS: list[Any] = [
    "#336699",
    GRADIENT,
    {"type": "image", "file": "sky.png"},
    {"type": "image", "file": "sky.png", "ken_burns": "out"},
]


@st.composite
def layers(draw: st.DrawFn) -> dict[str, Any]:
    start = draw(TIMES)
    end = draw(st.none() | st.just(1.5)) if start <= 0.8 else None
    kind = draw(st.sampled_from(KINDS))
    enter = draw(MOTIONS)
    if kind["type"] == "text" and draw(st.booleans()):
        enter = {"type": "typewriter", "duration": 0.3}
    place = {"x": draw(st.integers(-400, 400)), "y": draw(st.integers(-300, 300))}
    return {**kind, **place, "start": start, "end": end, "enter": enter, "exit": draw(MOTIONS)}


@settings(max_examples=25)
@given(background=st.sampled_from(BACKGROUNDS), several=st.lists(layers(), min_size=1, max_size=5))
def test_frames_in_sequence_are_those_drawn_alone(
    background: Any, several: Sequence[dict[str, Any]], folder: Path
) -> None:
    given = {"duration": 1.75, "background": background, "voice": "x", "layers": several}
    drawn = film(given, folder=folder, canvas=TINY, spoken=CUES)
    for n, (was_drawn, shown) in enumerate(frames := in_sequence(drawn)):
        assert shown == alone(drawn, n)
        assert was_drawn or shown == frames[n - 1][1]


def test_what_stands_still_is_drawn_once() -> None:
    assert changes(layered(BOX, {"type": "text", "text": "Hi"}, background=GRADIENT)) == [0]


def test_what_moves_behind_what_stands_still_is_seen(folder: Path) -> None:
    drifting = {"type": "image", "file": "sky.png", "ken_burns": "in"}
    text = {"type": "text", "text": "Hi"}
    assert changes(layered(text, background=drifting, folder=folder)) == list(range(10))
    assert changes(layered({**drifting, "width": 900}, text, folder=folder)) == list(range(10))
    still = {**drifting, "ken_burns": {"end": {}}}
    assert changes(layered(text, background=still, folder=folder)) == [0]


def test_what_appears_and_disappears_is_drawn_then() -> None:
    assert changes(layered(BOX, {**BOX, "color": "red0", "start": 0.3, "end": 0.7}, brand=RED)) == [0, 3, 7]


def test_below_what_stands_still_something_moves_again() -> None:
    below = {**BOX, "enter": {"type": "slide", "duration": 0.2}, "exit": {"type": "fade", "duration": 0.3}}
    above = {**BOX, "width": 200, "color": "white"}
    assert changes(layered(below, above)) == [0, 1, 2, 7, 8, 9]


def test_an_exit_begins_over_what_was_kept() -> None:
    going = {**BOX, "color": "white", "exit": {"type": "wipe", "duration": 0.4}}
    assert changes(layered(BOX, {**BOX, "x": 300}, going)) == [0, 6, 7, 8, 9]


def test_something_below_comes_while_something_above_moves() -> None:
    late = {**BOX, "start": 0.4, "end": 0.7}
    moving = {**BOX, "color": "white", "x": 200, "enter": {"type": "rise", "duration": 1}}
    assert changes(layered(BOX, late, moving, {**BOX, "y": 300})) == list(range(10))


def test_a_typewriter_draws_a_letter_at_a_time() -> None:
    # "AB" after "A" was the same state as the whole: shown 1.0, of letters or of all.
    text = {"type": "text", "text": "AB", "enter": {"type": "typewriter", "duration": 0.6}}
    assert changes(layered(text)) == [0, 3, 6]
    assert changes(layered({**text, "text": "A"})) == [0, 6]


def test_a_cue_is_drawn_when_it_changes() -> None:
    drawn = film({"voice": "x", "layers": [{"type": "captions"}]}, spoken=CUES)
    assert changes(drawn) == [0, 3, 7]


def test_two_scenes_pass_into_each_other_as_they_would_alone(folder: Path) -> None:
    scenes = [
        {"layers": [{**BOX, "exit": "fade"}], "transition": {"type": "wipe", "duration": 0.5}},
        {"background": GRADIENT, "layers": [{**BOX, "enter": {"type": "slide", "duration": 0.3}}]},
    ]
    drawn = film(*scenes, folder=folder)
    frame = Frame(drawn.canvas)
    for part in drawn.timeline.parts():
        with PartDrawer(part, drawn.studio) as drawer:
            for n in range(part.frames):
                drawer.draw(frame, n)
                assert frame.buffer.tobytes() == drawn.frame(part.start + n).buffer.tobytes()


def test_many_threads_draw_what_one_draws(folder: Path) -> None:
    scenes = [
        {"background": BACKGROUNDS[number % 4], "layers": KINDS[:7], "transition": "crossfade"}
        for number in range(6)
    ]
    alone, together = (film(*scenes, folder=folder) for _ in range(2))
    begin = threading.Barrier(4, timeout=60)

    def drawn(made: Film, number: int) -> list[bytes]:
        part, frame, frames = made.timeline.parts()[number], Frame(made.canvas), []
        with PartDrawer(part, made.studio) as drawer:
            for n in range(part.frames):
                drawer.draw(frame, n)
                frames.append(frame.buffer.tobytes())
        return frames

    def at_once(number: int) -> list[bytes]:
        if number < 4:
            begin.wait()
        return drawn(together, number)

    count = len(alone.timeline.parts())
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(at_once, range(count))) == [drawn(alone, number) for number in range(count)]


RED = {"colors": {"red0": "#ff0000"}}


@pytest.mark.parametrize(("layer", "says"), [
    ({**BOX, "width": 20000, "height": 20000, "radius": 5}, r"layers\[1\]: .* more than 32 megapixels"),
])  # fmt: skip
def test_what_cannot_be_drawn_is_told_with_its_place(layer: dict[str, Any], says: str, folder: Path) -> None:
    drawn = layered(BOX, layer, folder=folder, canvas=Canvas(1920, 1080, Fraction(30)))
    with pytest.raises(Permanent, match=says):
        drawn.frame(0)


@pytest.mark.parametrize("layer", [
    {"type": "shape", "width": 0, "height": 5}, {"type": "shape", "width": 5, "height": "0%"},
    {"type": "image", "file": "sky.png", "width": "-3%"}, {"type": "progress", "height": "0.0%"},
    {"type": "waveform", "width": -1}, {"type": "text", "text": "a", "height": 0},
])  # fmt: skip
def test_a_layer_without_extent_is_a_mistake(layer: dict[str, Any], folder: Path) -> None:
    with pytest.raises(UsageError, match=r"(width|height) must be greater than 0"):
        layered(layer, folder=folder)


@pytest.mark.parametrize("drift", [None, "in"])
def test_a_picture_is_not_opened_before_it_is_seen(drift: str | None, folder: Path) -> None:
    (folder / "broken.png").write_bytes(b"")
    layer = {"type": "image", "file": "broken.png", "start": 0.5, "ken_burns": drift}
    drawn = layered(layer, folder=folder)
    assert np.unique(drawn.frame(4).y).tolist() == [16]
    with pytest.raises(Permanent, match=r"layers\[0\]: .*broken\.png"):
        drawn.frame(5)
