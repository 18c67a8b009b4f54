"""Every frame of a film is in exactly one part, and transitions take of both scenes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from renderkiln.domain.errors import Permanent
from renderkiln.pipelines.scenes.document.layers import VideoLayer
from renderkiln.pipelines.scenes.document.mistakes import WrongProject
from renderkiln.pipelines.scenes.document.motion import Transition
from renderkiln.pipelines.scenes.document.project import Scene
from renderkiln.pipelines.scenes.document.reading import project_of
from renderkiln.pipelines.scenes.timeline import Timeline, lay_out

CUT = Transition(type="cut")
FPS = st.sampled_from([Fraction(each) for each in (10, 24, 25, 30, 50, 60)] + [Fraction(100, 6)])
SECONDS = st.floats(0.01, 25)


def fade(seconds: float) -> Transition:
    return Transition(type="crossfade", duration=seconds)


def laid_out(
    *scenes: tuple[float, Transition | None], usual: Transition = CUT, fps: Fraction | int = 30
) -> Timeline:
    """Scenes of so many seconds with a transition of their own."""
    named = [(f"s{n}", Scene(duration=each[0], transition=each[1])) for n, each in enumerate(scenes)]
    return lay_out(named, {f"s{n}": each[0] for n, each in enumerate(scenes)}, usual, Fraction(fps))


@st.composite
def films(draw: st.DrawFn) -> Timeline:
    """Scenes that are long enough for their transitions, whatever is rounded."""
    fps = draw(FPS)
    durations = draw(st.lists(SECONDS, min_size=1, max_size=6))
    around = [min(pair) / 2 - 1 / float(fps) for pair in zip(durations, [*durations[1:], 0], strict=True)]
    changes = [fade(draw(st.floats(1e-3, each))) if each > 1e-3 else CUT for each in around]
    return laid_out(*zip(durations, changes, strict=True), fps=fps)


@given(films())
def test_parts_cover_the_film_exactly_once(film: Timeline) -> None:
    covered = [frame for part in film.parts() for frame in range(part.start, part.start + part.frames)]
    assert covered == list(range(film.frames))
    assert all(part.frames > 0 for part in film.parts())
    assert len({part.key for part in film.parts()}) == len(film.parts())


@given(films())
def test_every_frame_of_a_scene_is_in_the_film_once(film: Timeline) -> None:
    seen: dict[str, list[int]] = {span.id: [] for span in film.spans}
    for part in film.parts():
        seen[part.span.id] += range(part.first, part.first + part.frames)
        if part.next is not None:
            seen[part.next.id] += range(part.frames)
    assert all(sorted(seen[span.id]) == list(range(span.frames)) for span in film.spans)


@given(films())
def test_a_film_lasts_as_long_as_its_scenes_without_their_transitions(film: Timeline) -> None:
    assert film.frames == sum(span.frames for span in film.spans) - sum(span.after for span in film.spans)
    lasting = [float(span.scene.duration or 0) for span in film.spans]
    taking = [span.transition.duration for span in film.spans if span.transition is not None]
    rounding = len(lasting) + len(taking)  # half a frame each; a scene and a transition have one at least
    assert film.seconds == pytest.approx(sum(lasting) - sum(taking), abs=rounding / float(film.fps))


@given(films(), st.data())
def test_the_part_of_a_frame_is_found(film: Timeline, data: st.DataObject) -> None:
    frame = data.draw(st.integers(0, film.frames - 1))
    part = film.at(frame)
    assert part.start <= frame < part.start + part.frames


def test_two_scenes_with_a_transition() -> None:
    film = laid_out((3, fade(0.5)), (2, fade(1)), (4, fade(9)))
    assert film.frames == 30 * (3 + 2 + 4 - 0.5 - 1)
    told = [(part.key, part.span.id, part.next and part.next.id, part.first, part.frames, part.start)
            for part in film.parts()]  # fmt: skip
    assert told == [
        ("scene-0000-0000", "s0", None, 0, 75, 0),
        ("passage-0000", "s0", "s1", 75, 15, 75),
        ("scene-0001-0000", "s1", None, 15, 15, 90),
        ("passage-0001", "s1", "s2", 30, 30, 105),
        ("scene-0002-0000", "s2", None, 30, 90, 135),
    ]


def test_the_scene_s_own_transition_counts_more_than_the_usual_one() -> None:
    film = laid_out((2, None), (2, CUT), (2, None), usual=fade(0.5))
    assert [(span.before, span.after) for span in film.spans] == [(0, 15), (15, 0), (0, 0)]


def test_a_scene_may_be_all_transitions() -> None:
    film = laid_out((2, fade(0.5)), (1.5, fade(1)), (2, None))
    assert [part.key for part in film.parts()][1:3] == ["passage-0000", "passage-0001"]


def test_a_long_scene_is_drawn_in_equal_pieces_of_a_few_seconds() -> None:
    film = laid_out((3, None), (10.1, None))
    assert [part.frames for part in film.parts()] == [90, 101, 101, 101]
    assert [part.frames for part in replace(film, divided=False).parts()] == [90, 303]


def test_a_clip_is_begun_less_often() -> None:
    clip = VideoLayer(type="video", file="a.mp4")
    scene = Scene(duration=25, layers=(clip,))
    film = lay_out([("s", scene)], {"s": 25}, CUT, Fraction(30))
    assert [part.frames for part in film.parts()] == [250, 250, 250]


@pytest.mark.parametrize(("fps", "seconds"), [(30, 0.484), (24, 0.35), (Fraction(30000, 1001), 0.5)])
def test_many_short_scenes_do_not_drift_from_the_beat(fps: int | Fraction, seconds: float) -> None:
    film = laid_out(*[(seconds, None)] * 120, fps=fps)
    off = [span.stop - (span.number + 1) * seconds * float(fps) for span in film.spans]
    assert max(map(abs, off)) <= 0.5 + 1e-6


def test_many_transitions_do_not_drift_either() -> None:
    film = laid_out(*[(0.484, fade(0.11))] * 120)
    off = [span.stop - ((span.number + 1) * 0.484 * 30 - span.number * 3) for span in film.spans]
    assert max(map(abs, off)) <= 0.5 + 1e-6


@given(films())
def test_no_scene_is_a_frame_longer_or_shorter_than_it_says(film: Timeline) -> None:
    """A clip that is as long as its scene would begin again in its last frame, or be called too short."""
    for span in film.spans:
        assert span.scene.duration is not None
        assume(span.scene.duration * film.fps >= 1)
    for span in film.spans:
        assert abs(span.frames - (span.scene.duration or 0) * film.fps) < 1 + 1e-6


def test_a_scene_as_long_as_what_is_said_moves_nothing_by_a_fraction() -> None:
    def frames(said: float) -> list[int]:
        named = [("a", Scene(voice="Hi.")), ("b", Scene(duration=2.77)), ("c", Scene(duration=4.13))]
        film = lay_out(named, {"a": said, "b": 2.77, "c": 4.13}, CUT, Fraction(30))
        return [span.frames for span in film.spans[1:]]

    assert frames(3.41) == frames(3.43) == frames(3.42)


def test_a_scene_has_one_frame_at_least() -> None:
    assert laid_out((0.001, None)).frames == 1


@pytest.mark.parametrize("scenes", [
    [(1.0, fade(1.2)), (3.0, None)],
    [(3.0, fade(1.2)), (1.0, None)],
    [(3.0, fade(0.6)), (1.0, fade(0.5)), (3.0, None)],
])  # fmt: skip
def test_a_scene_too_short_for_its_transitions_is_refused(scenes: Sequence[tuple[float, Any]]) -> None:
    with pytest.raises(Permanent, match=r"The scene s[01] lasts 1\.00 s, but its transitions take 1\.\d0 s"):
        laid_out(*scenes)


@given(FPS, st.floats(0.2, 3), st.floats(0.2, 3))
def test_what_the_document_takes_is_not_refused(fps: Fraction, before: float, after: float) -> None:
    lasting = before + after
    changes = [{"type": "crossfade", "duration": each} for each in (before, after)]
    scenes = [{"duration": 9, "transition": changes[0]}, {"duration": lasting, "transition": changes[1]}]
    try:
        project_of({"scenes": [*scenes, {"duration": 9}]}, "test")
    except WrongProject:
        return
    film = laid_out((9, fade(before)), (lasting, fade(after)), (9, None), fps=fps)
    assert film.seconds == pytest.approx(18, abs=2.5 / float(fps))


@given(films())
def test_the_telling_frame_is_one_of_the_scene_without_transitions_if_there_is_one(film: Timeline) -> None:
    for span in film.spans:
        assert 0 <= span.telling < span.frames
        if span.before + span.after < span.frames:
            assert span.before <= span.telling < span.frames - span.after
