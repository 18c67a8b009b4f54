from __future__ import annotations

import math
from fractions import Fraction
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.media.frames.passage import SOFT, Direction, Passage, draw_passage

CANVAS = Canvas(96, 64, Fraction(30))
KINDS: tuple[Passage, ...] = get_args(Passage)
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)


def flat(y: int, u: int = 128, v: int = 128) -> Frame:
    frame = Frame(CANVAS)
    frame.y[:], frame.u[:], frame.v[:] = y, u, v
    return frame


def busy(seed: int) -> Frame:
    return Frame(CANVAS, np.random.default_rng(seed).integers(16, 236, CANVAS.frame_bytes, np.uint8))


def moment(
    kind: Passage, before: Frame, after: Frame, progress: float, direction: Direction = "left"
) -> Frame:
    frame = flat(0, 0, 0)
    draw_passage(kind, before, after, progress, frame, direction=direction)
    return frame


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_it_begins_and_ends_exactly(kind: Passage, direction: Direction) -> None:
    for progress in (0.0, -0.1):
        assert np.array_equal(moment(kind, busy(1), busy(2), progress, direction).buffer, busy(1).buffer)
    for progress in (1.0, 1.1):
        assert np.array_equal(moment(kind, busy(1), busy(2), progress, direction).buffer, busy(2).buffer)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_it_begins_and_ends_without_a_jump(kind: Passage, direction: Direction) -> None:
    y, x = np.mgrid[0:64, 0:96]
    before, after = flat(100), flat(100)
    before.y[:], after.y[:] = 30 + 2 * x, 200 - 2 * y
    for progress, scene in ((1e-4, before), (1 - 1e-4, after)):
        frame = moment(kind, before, after, progress, direction)
        assert np.abs(frame.buffer.astype(int) - scene.buffer).max() <= 1


@settings(max_examples=60)
@given(st.sampled_from(KINDS), st.sampled_from(DIRECTIONS), st.floats(0, 1))
def test_one_scene_into_itself_stays(kind: Passage, direction: Direction, progress: float) -> None:
    if kind != "dip":
        frame = moment(kind, flat(77, 44, 222), flat(77, 44, 222), progress, direction)
        assert np.array_equal(frame.buffer, flat(77, 44, 222).buffer), "no border, no seam"


@pytest.mark.parametrize(("low", "high"), [(16, 235), (100, 103)])
def test_a_slow_crossfade_has_no_steps(low: int, high: int) -> None:
    codes = []
    for progress in np.linspace(0, 1, 600):
        frame = moment("crossfade", flat(low, 240, 16), flat(high, 16, 240), progress)
        assert np.ptp(frame.y) == 0
        codes.append(int(frame.y[0, 0]))
        assert codes[-1] == pytest.approx(low + (high - low) * progress, abs=1)
        assert frame.u[3, 3] == pytest.approx(240 - 224 * progress, abs=1)
    assert set(np.diff(codes)) <= {0, 1}


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_edge_of_a_wipe_moves_evenly(direction: Direction) -> None:
    before, after = flat(16, 60, 200), flat(235, 200, 60)
    side = 96 if direction in ("left", "right") else 64
    for progress in np.linspace(0.1, 0.9, 17):
        frame = moment("wipe", before, after, progress, direction)
        shown = progress * (1 + SOFT) - SOFT / 2
        assert (frame.y.mean() - 16) / 219 == pytest.approx(shown, abs=0.1 / side)
        for plane in (frame.u, frame.v):
            share = np.abs(plane.astype(float) - (60 if plane is frame.u else 200)).mean() / 140
            assert share == pytest.approx(shown, abs=0.6 / side), "chroma lies half a pixel to the left"
        line = (frame.y[5] if side == 96 else frame.y[:, 5]).astype(int)
        line = line if direction in ("right", "bottom") else line[::-1]
        assert (np.diff(line) <= 0).all()
        assert ((line > 20) & (line < 230)).sum() <= SOFT * side + 1


def test_luma_and_chroma_of_a_wipe_move_together() -> None:
    for progress in (0.2, 0.5, 0.77):
        frame = moment("wipe", flat(16, 60, 60), flat(235, 200, 200), progress, "right")
        luma = (frame.y[0].astype(float) - 16) / 219
        padded = np.pad(luma, (1, 0), "edge")
        sited = (padded[0:-1:2] + 2 * padded[1::2] + padded[2::2]) / 4
        assert np.abs((frame.u[0].astype(float) - 60) / 140 - sited).max() < 0.08


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("progress", [0.25, 0.5, 0.373, 0.999])
def test_a_slide_moves_both_scenes_by_the_same(direction: Direction, progress: float) -> None:
    before, after = busy(3), busy(4)
    frame = moment("slide", before, after, progress, direction)
    axis = 1 if direction in ("left", "right") else 0
    forward = direction in ("left", "top")
    for old, new, out in (
        (before.y, after.y, frame.y),
        (before.u, after.u, frame.u),
        (before.v, after.v, frame.v),
    ):
        strip = np.concatenate([old, new] if forward else [new, old], axis=axis).astype(float)
        size = out.shape[axis]
        at = np.arange(size) + size * (progress if forward else 1 - progress)
        first = np.minimum(at.astype(int), 2 * size - 2)
        share = np.expand_dims(at - first, 1 - axis)
        truth = strip.take(first, axis) * (1 - share) + strip.take(first + 1, axis) * share
        assert np.abs(out - truth).max() < 1.01


def test_a_zoom_grows_the_one_and_settles_the_other() -> None:
    y, x = np.mgrid[0:64, 0:96]
    ring = flat(60)
    ring.y[:] = np.rint(60 + 150 * np.exp(-((np.hypot(x + 0.5 - 48, y + 0.5 - 32) - 15) ** 2) / 8))

    def radius(frame: Frame) -> float:
        weight = frame.y[32, 50:].astype(float) - frame.y.min()
        return float((weight * (np.arange(50, 96) + 0.5 - 48)).sum() / weight.sum())

    gone = [radius(moment("zoom", ring, flat(60), p)) for p in (0.01, 0.2, 0.4, 0.6)]
    come = [radius(moment("zoom", flat(60), ring, p)) for p in (0.4, 0.6, 0.8, 0.99)]
    assert gone == pytest.approx([15 * (1 + 0.3 * p) for p in (0.01, 0.2, 0.4, 0.6)], abs=0.3)
    assert come == pytest.approx([15 * (1.12 - 0.12 * p) for p in (0.4, 0.6, 0.8, 0.99)], abs=0.3)


def test_a_dip_is_its_colour_at_the_middle() -> None:
    frame = flat(0)
    draw_passage("dip", busy(1), busy(2), 0.5, frame, color=(63, 102, 240))
    assert np.array_equal(frame.buffer, flat(63, 102, 240).buffer)
    draw_passage("dip", flat(200, 100, 90), busy(2), 0.25, frame, color=(40, 128, 128))
    assert np.array_equal(frame.buffer, flat(120, 114, 109).buffer)
    draw_passage("dip", busy(1), flat(200, 100, 90), 0.75, frame, color=(40, 128, 128))
    assert np.array_equal(frame.buffer, flat(120, 114, 109).buffer)


def test_what_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="at nan"):
        moment("wipe", flat(16), flat(17), math.nan)
    with pytest.raises(ValueError, match="'melt'"):
        moment("melt", flat(16), flat(17), 0.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'up'"):
        moment("wipe", flat(16), flat(17), 0.5, "up")  # type: ignore[arg-type]
