"""A value that moves over time, such as a frequency that glides."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Self


@dataclass(frozen=True)
class Course:
    """Linear between `points` of (seconds, value), held before the first and after the last.

    Two points at one time are a step. Raises ValueError for no points, for points that are no numbers or
    before the start, and for points out of order.
    """

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if not self.points:
            raise ValueError("a course needs at least one point of (seconds, value)")
        for seconds, value in self.points:
            if not (math.isfinite(seconds) and math.isfinite(value) and seconds >= 0):
                raise ValueError(f"({seconds:g}, {value:g}) is no point of a course: seconds from 0, value")
        for (earlier, _), (later, _) in pairwise(self.points):
            if later < earlier:
                raise ValueError(f"a course goes forward in time: {later:g} s comes after {earlier:g} s")

    @classmethod
    def steady(cls, value: float) -> Self:
        """The same value for ever."""
        return cls(((0.0, value),))

    @property
    def lowest(self) -> float:
        """The smallest value that it ever has."""
        return min(value for _, value in self.points)

    @property
    def highest(self) -> float:
        """The largest value that it ever has."""
        return max(value for _, value in self.points)

    def slopes(self) -> list[Slope]:
        """Its straight pieces in order, without gap from 0 s on; the last one is level and has no end.

        Exact, of the decimals that people wrote: 0.1 is a tenth, not the nearest binary fraction.
        """
        points = [(Fraction(str(seconds)), Fraction(str(value))) for seconds, value in self.points]
        first, last = points[0], points[-1]
        rising = [Slope(a, f, (g - f) / (b - a)) for (a, f), (b, g) in pairwise(points) if b > a]
        level = [Slope(Fraction(0), first[1], Fraction(0))] if first[0] > 0 else []
        return [*level, *rising, Slope(last[0], last[1], Fraction(0))]


@dataclass(frozen=True)
class Slope:
    """From `start` seconds on: `value`, and `per_second` more of it each second."""

    start: Fraction
    value: Fraction
    per_second: Fraction
