"""What jobs have taken says what the next one takes."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderkiln.engine.estimate import Line, Spread, total

SIZES = st.floats(0.01, 1e6)


@given(st.floats(0, 100), st.floats(0.001, 100), st.lists(SIZES, min_size=3, max_size=30, unique=True))
def test_a_line_is_found_again(base: float, slope: float, sizes: list[float]) -> None:
    if max(sizes) < 2 * min(sizes):
        return
    line = Line.through([(size, base + slope * size) for size in sizes])
    for size in sizes:
        assert line.at(size) == pytest.approx(base + slope * size, rel=1e-3, abs=1e-6)


def test_odd_jobs_do_not_move_it() -> None:
    chance = random.Random(1)
    points = [(float(size), (2 + size / 10) * chance.uniform(0.9, 1.1)) for size in range(10, 110, 5)]
    points[3] = (points[3][0], 300.0)  # it compiled its kernels
    points[9] = (points[9][0], 0.1)
    assert Line.through(points).at(200.0) == pytest.approx(22.0, rel=0.1)


@pytest.mark.parametrize(
    "points",
    [
        [(10.0, 5.0)],
        [(10.0, 5.0), (10.5, 5.1), (11.0, 5.6)],  # all of one size
        [(10.0, 1.0), (20.0, 4.0), (40.0, 16.0), (80.0, 60.0)],  # no job takes less than nothing
    ],
)
def test_where_nothing_is_for_any_job_it_is_all_for_units(points: list[tuple[float, float]]) -> None:
    line = Line.through(points)
    assert line.base == 0
    assert line.at(0.0) == 0
    assert line.slope > 0


def test_a_spread_is_of_eight_in_ten() -> None:
    assert Spread.of([float(number) for number in range(101)]) == Spread(10.0, 50.0, 90.0)
    assert total([Spread(1, 2, 3), Spread(10, 20, 30)]) == Spread(11, 22, 33)
    assert total([Spread(1, 2, 3), None]) is None
