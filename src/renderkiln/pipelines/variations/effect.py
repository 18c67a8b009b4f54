"""What an effect is: one small change of a clip, with its values, its cost and its filter.

Others add their own through the entry point group `renderkiln.effects`; an entry point names an `Effect` or
a tuple of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Intensity = Literal["subtle", "medium", "strong"]

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


@dataclass(frozen=True)
class Picture:
    """The picture that filters work on: yuv420p, bt709, limited range, even sides."""

    width: int
    height: int
    fps: Fraction
    duration: float  # seconds, after the change of speed


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One change that a variation may have. Raises ValueError for values that are not possible.

    Everything depends on the picture's size only in proportion, so that a small copy shows what the large one
    will look like. Filter texts go into a graph as they are: no quotes, no labels; a comma only between
    filters.
    """

    name: str
    summary: str  # one line of help
    unit: str  # "%", "°", "×", "dB" or nothing
    ladder: Mapping[Intensity, tuple[float, ...]]  # what each intensity draws from, ascending
    lowest: float
    highest: float
    step: float  # every multiple of it within the range may be asked for
    kind: Literal["picture", "sound", "both"]
    order: int  # place in the chain of filters
    cost: float  # CPU-milliseconds per 1080p frame, beyond those of the bare re-encode
    words: Callable[[float], str]  # "zoom 3 %"
    neutral: float = 0.0  # the value that changes nothing; it is never drawn
    chance: float = 0.5  # how often it is drawn unasked; 0: only when the user adds it
    group: str = ""  # a set has at most one effect of a group
    picture: Callable[[float, Picture], str] | None = None
    sound: Callable[[float], str] | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r}: an effect's name has lower-case letters, digits and '-' only")
        if not (self.step > 0 and self.lowest < self.highest):
            raise ValueError(
                f"the effect {self.name!r} needs a step above 0, and a lowest value below its highest"
            )
        if (self.picture is None) == (self.kind == "picture") or (self.sound is None) == (
            self.kind != "picture"
        ):
            raise ValueError(
                f"the effect {self.name!r} is on {self.kind}: it needs the function that says how"
            )
        if missing := {"subtle", "medium", "strong"} - self.ladder.keys():
            raise ValueError(f"the effect {self.name!r} has no values for {', '.join(sorted(missing))}")
        for values in self.ladder.values():
            for value in values:
                if self.nearest(value) != value or value == self.neutral:
                    raise ValueError(
                        f"the effect {self.name!r} cannot have {value:g}, which is on its ladder"
                    )

    def nearest(self, value: float) -> float:
        """The possible value that is nearest to `value`."""
        inside = min(max(value, self.lowest), self.highest)
        return self._multiple(round(inside / self.step))

    def between(self, low: float, high: float) -> tuple[float, ...]:
        """All possible values from `low` to `high` that change something, ascending."""
        first, last = round(low / self.step - 0.499), round(high / self.step + 0.499)
        values = (self._multiple(number) for number in range(first, last + 1))
        return tuple(value for value in values if low <= value <= high and value != self.neutral)

    def _multiple(self, number: int) -> float:
        return round(number * self.step, 6) + 0.0  # 0.1 * 3 is 0.30000000000000004, and -0.0 is 0
