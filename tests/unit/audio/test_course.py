from __future__ import annotations

import math
from fractions import Fraction

import pytest

from renderkiln.media.audio.course import Course, Slope


def test_its_pieces_leave_no_gap_and_are_the_decimals_that_were_written() -> None:
    course = Course(((1, 0.1), (3, 0.3), (3, 5), (4.5, 5)))
    assert course.slopes() == [
        Slope(Fraction(0), Fraction(1, 10), Fraction(0)),
        Slope(Fraction(1), Fraction(1, 10), Fraction(1, 10)),
        Slope(Fraction(3), Fraction(5), Fraction(0)),
        Slope(Fraction(9, 2), Fraction(5), Fraction(0)),
    ]
    assert (course.lowest, course.highest) == (0.1, 5)


def test_a_steady_one_is_one_level_piece() -> None:
    assert Course.steady(528).slopes() == [Slope(Fraction(0), Fraction(528), Fraction(0))]


@pytest.mark.parametrize(
    ("points", "complaint"),
    [
        ((), "at least one point"),
        (((2, 1), (1, 1)), "1 s comes after 2 s"),
        (((-1, 1),), "seconds from 0"),
        (((0, math.nan),), "no point"),
        (((math.inf, 1),), "no point"),
    ],
)
def test_what_is_no_course(points: tuple[tuple[float, float], ...], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Course(points)
