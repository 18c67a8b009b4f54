from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from renderkiln.media.video.rate import STANDARD, Rhythm


def rhythm(moments: Iterable[int], tick: Fraction) -> Rhythm:
    made = Rhythm(tick)
    for moment in moments:
        made.add(moment)
    made.finish()
    return made


def rate(moments: Iterable[int], tick: Fraction, claims: Sequence[Fraction] = ()) -> tuple[Fraction, bool]:
    return rhythm(moments, tick).rate(claims)


MILLISECOND = Fraction(1, 1000)


@given(
    fps=st.sampled_from(STANDARD),
    tick=st.sampled_from([MILLISECOND, Fraction(1, 90000), Fraction(1, 15360), Fraction(1, 10**9)]),
    first=st.integers(-1000, 10**9),
)
@settings(max_examples=40)
def test_rounded_timestamps_are_constant(fps: Fraction, tick: Fraction, first: int) -> None:
    moments = [first + round(k / fps / tick) for k in range(200)]
    assert rate(moments, tick, [fps]) == (fps, False)


@pytest.mark.parametrize("fps", [Fraction(rate) for rate in ("10", "12", "12.5", "15", "59.9", "72", "90")])
def test_unusual_rates_are_kept(fps: Fraction) -> None:
    assert rate([round(k / fps / Fraction(1, 90000)) for k in range(300)], Fraction(1, 90000)) == (fps, False)


def test_headers_are_believed_where_they_agree() -> None:
    moments = [round(k * 1001 / 30) for k in range(20)]  # too few to tell 29.97 from 30 in milliseconds
    assert rate(moments, MILLISECOND, [Fraction(30000, 1001)]) == (Fraction(30000, 1001), False)
    assert rate(moments, MILLISECOND, [Fraction(2997, 100)]) == (Fraction(30000, 1001), False)
    assert rate(moments, MILLISECOND, [Fraction(1000), Fraction(60)])[0] in (30, Fraction(30000, 1001))


@given(seed=st.integers(0, 1000))
@settings(max_examples=40)
def test_the_order_of_decoding_does_not_matter(seed: int) -> None:
    """As with 16 reference pictures: none is more than 16 places away from its own."""
    moments = list(range(0, 51200, 512))
    shuffled = sorted(moments, key=lambda moment: moment + random.Random(seed * moment).random() * 16 * 512)
    assert rate(shuffled, Fraction(1, 15360), [Fraction(30)]) == (Fraction(30), False)


def test_a_gap_makes_it_variable() -> None:
    moments = [k * 1000 for k in range(50)] + [k * 1000 for k in range(52, 100)]
    assert rate(moments, Fraction(1, 30000), [Fraction(30)]) == (Fraction(30), True)


def test_a_coarse_clock_hides_no_gap() -> None:
    assert rate([0, 1, 2, 4, 5, 6], Fraction(1, 25), [Fraction(25)]) == (Fraction(25), True)


@pytest.mark.parametrize(
    ("interval", "nearest"), [(0.0331, 30), (0.0419, "24000/1001"), (0.01664, 60), (3.0, "24000/1001")]
)
def test_variable_ones_become_the_nearest_standard(interval: float, nearest: str | int) -> None:
    source = random.Random(5)
    moments, now = [], 0.0
    for _ in range(400):
        moments.append(round(now * 90000))
        now += interval * source.choice([1, 1, 1, 1, 1.3, 0.8, 2])
    assert rate(moments, Fraction(1, 90000)) == (Fraction(nearest), True)


def test_timestamps_that_jump_back() -> None:
    moments = [*range(0, 100_000, 1000), *range(0, 100_000, 1000)]
    assert rate(moments, Fraction(1, 25000), [Fraction(25)]) == (Fraction(25), True)


def test_one_picture_or_none() -> None:
    assert rate([5], MILLISECOND, [Fraction(30)]) == (Fraction(30), False)
    assert rate([5], MILLISECOND, [Fraction(1000)]) == (Fraction(25), False)
    assert rate([], MILLISECOND) == (Fraction(25), False)


def test_all_at_once() -> None:
    assert rate([7] * 50, MILLISECOND, [Fraction(30)]) == (Fraction(25), True)


def test_first_last_and_count() -> None:
    made = rhythm([20, 10, 30, 50, 40], MILLISECOND)
    assert (made.first, made.last, made.count) == (10, 50, 5)
