from __future__ import annotations

from fractions import Fraction

from renderkiln.media.ffmpeg.gif import Look
from renderkiln.media.gif.film import Film
from renderkiln.media.gif.fit import ladder


def test_from_all_colours_to_half_the_size() -> None:
    assert ladder(Film([], Fraction(20)), Look(856, 480)) == [
        Look(856, 480),
        Look(856, 480, 128),
        Look(856, 480, 64, "weak-bayer"),
        Look(856, 480, 64, "weak-bayer", 2),
        Look(642, 360, 64, "weak-bayer", 2),
        Look(428, 240, 64, "weak-bayer", 2),
    ]


def test_a_slow_film_keeps_its_rate() -> None:
    assert {rung.step for rung in ladder(Film([], Fraction(5)), Look(320, 180))} == {1}


def test_never_more_than_was_asked_for() -> None:
    rungs = ladder(Film([], Fraction(20)), Look(320, 180, colors=16, dither="weak-bayer"))
    assert {rung.colors for rung in rungs} == {16}


def test_never_without_a_pixel() -> None:
    smallest = ladder(Film([], Fraction(20)), Look(4, 4))[-1]
    assert (smallest.width, smallest.height) == (2, 2)
