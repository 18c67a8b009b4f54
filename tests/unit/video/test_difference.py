from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from renderkiln.media.errors import Unreadable
from renderkiln.media.video.difference import (
    Likeness,
    difference,
    distances,
    from_raw,
    nearest,
    square,
    triangle,
)

WIDTH, HEIGHT, FRAMES = 8, 6, 3
LUMA, CHROMA = WIDTH * HEIGHT, WIDTH * HEIGHT // 4
likenesses = arrays(np.uint8, (FRAMES, LUMA + 2 * CHROMA), elements=st.integers(0, 255))


def flat(y: int, u: int = 128, v: int = 128) -> Likeness:
    frame = np.repeat(np.array([y, u, v], np.uint8), [LUMA, CHROMA, CHROMA])
    return np.tile(frame, (FRAMES, 1))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (flat(100), flat(100), 0),
        (flat(0, 0, 0), flat(255, 255, 255), 255),
        (flat(110), flat(104), 4),
        (flat(104), flat(110), 4),
        (flat(100, 140), flat(100, 128), 2),
        (flat(100, 128, 116), flat(100, 128, 128), 2),
    ],
)
def test_luma_weighs_four_sixths_and_each_chroma_one(a: Likeness, b: Likeness, expected: float) -> None:
    assert difference(a, b) == pytest.approx(expected)


def test_it_is_the_mean_over_all_frames() -> None:
    other = flat(100)
    other[2] = flat(130)[2]
    assert difference(flat(100), other) == pytest.approx(20 / 3)


def test_frames_are_compared_at_the_same_moment() -> None:
    film = np.random.default_rng(0).integers(0, 256, (FRAMES, LUMA + 2 * CHROMA), np.uint8)
    assert difference(film, np.roll(film, 1, axis=0)) > 50


def test_a_whole_large_frame_is_summed_without_overflow() -> None:
    black, white = np.zeros((2, 3 << 20), np.uint8), np.full((2, 3 << 20), 255, np.uint8)
    assert difference(black, white) == 255


@given(likenesses, likenesses, likenesses)
def test_it_is_a_metric(a: Likeness, b: Likeness, c: Likeness) -> None:
    assert difference(a, a) == 0
    assert difference(a, b) == difference(b, a)
    assert (difference(a, b) > 0) == (not np.array_equal(a, b))
    assert difference(a, c) <= difference(a, b) + difference(b, c) + 1e-9


@given(likenesses, likenesses)
def test_it_is_what_numpy_computes_in_wide_integers(a: Likeness, b: Likeness) -> None:
    assert difference(a, b) == pytest.approx(float(np.abs(a.astype(int) - b).mean()), abs=1e-9)


def test_distances_of_all_to_all() -> None:
    matrix = distances([flat(100), flat(106), flat(91)])
    assert matrix.dtype == np.float32
    np.testing.assert_allclose(matrix, [[0, 4, 6], [4, 0, 10], [6, 10, 0]], rtol=1e-6)


def test_the_nearest_is_found_and_the_first_of_equals() -> None:
    others = [flat(50), flat(112), flat(97), flat(103)]
    place, least = nearest(flat(100), others)
    assert place == 2
    assert least == pytest.approx(2)


def test_other_shapes_are_refused() -> None:
    for other in (flat(1)[:2], flat(1)[:, :-1]):
        with pytest.raises(ValueError, match="cannot be compared"):
            difference(flat(1), other)
        with pytest.raises(ValueError, match="cannot be compared"):
            distances([flat(1), other])
    with pytest.raises(ValueError, match="cannot be compared"):
        difference(flat(1)[:0], flat(1)[:0])
    with pytest.raises(ValueError, match="empty"):
        nearest(flat(1), [])


def test_the_triangle_of_a_report_and_back() -> None:
    matrix = distances([flat(100), flat(101), flat(103)])
    rows = triangle(matrix)
    assert rows == [[], [0.67], [2.0, 1.33]]
    np.testing.assert_allclose(square(rows), matrix, atol=0.005)
    assert triangle(square(rows)) == rows
    assert triangle(distances([])) == []


def test_raw_frames_are_read_in_order(tmp_path: Path) -> None:
    frames = np.concatenate([flat(20)[:1], flat(40)[:1]])
    (tmp_path / "a.yuv").write_bytes(frames.tobytes())
    assert np.array_equal(from_raw(tmp_path / "a.yuv", WIDTH, HEIGHT), frames)


@pytest.mark.parametrize("size", [0, LUMA, LUMA + 2 * CHROMA + 1])
def test_a_file_without_whole_frames_is_refused(tmp_path: Path, size: int) -> None:
    (tmp_path / "a.yuv").write_bytes(bytes(size))
    with pytest.raises(Unreadable, match=f"a.yuv: {size} bytes are not whole frames of 8x6"):
        from_raw(tmp_path / "a.yuv", WIDTH, HEIGHT)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"a.yuv: cannot read its frames: No such file"):
        from_raw(tmp_path / "a.yuv", WIDTH, HEIGHT)
